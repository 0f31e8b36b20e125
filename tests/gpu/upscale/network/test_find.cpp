#include "gpu/upscale/network/load.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <optional>

using namespace ferry;
using namespace ferry::upscale;
namespace fs = std::filesystem;

namespace {

// An environment variable for the length of a test.
class variable {
public:
  variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name))
      before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;
  ~variable() {
    if (before_)
      ::setenv(name_, before_->c_str(), 1);
    else
      ::unsetenv(name_);
  }

private:
  const char* name_;
  std::optional<std::string> before_;
};

// Three places, each of which may hold slim ×2.
class places {
public:
  places() {
    std::string name = (fs::temp_directory_path() / "ferry-find-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    models_.emplace("FERRY_MODELS", (root_ / "models").string());
    cache_.emplace("FERRY_CACHE", (root_ / "cache").string());
  }
  places(const places&) = delete;
  places& operator=(const places&) = delete;
  ~places() { fs::remove_all(root_); }

  [[nodiscard]] fs::path folder(const std::string& place) const { return root_ / place / "esrgan-slim" / "models" / "x2"; }
  void put(const std::string& place) const {
    fs::create_directories(folder(place));
    std::ofstream(folder(place) / "model.json") << "{}";
  }
  [[nodiscard]] fs::path root() const { return root_; }

private:
  fs::path root_;
  std::optional<variable> models_;
  std::optional<variable> cache_;
};

} // namespace

TEST_CASE("networks are looked for in the folder given, in FERRY_MODELS and in the cache, in this order") {
  const places all;
  all.put("cache/models");
  CHECK(find_network("slim", 2, {}).value() == all.folder("cache/models"));
  all.put("models");
  CHECK(find_network("slim", 2, {}).value() == all.folder("models"));
  all.put("given");
  CHECK(find_network("slim", 2, all.root() / "given").value() == all.folder("given"));
}

TEST_CASE("a network that is not there is told with the places looked at and the command that fetches it") {
  const places all;
  const auto found = find_network("thick", 4, all.root() / "given");
  REQUIRE_FALSE(found);
  CHECK(found.error().code == error_code::not_found);
  for (const char* place : {"given/esrgan-thick/models/x4", "models/esrgan-thick", "cache/models/esrgan-thick"})
    CHECK(found.error().what.find((all.root() / place).string()) != std::string::npos);
  CHECK(found.error().hint.find("scripts/setup") != std::string::npos);
}

TEST_CASE("unknown networks and scales are refused with those that exist") {
  CHECK(find_network("fat", 2, {}).error().hint.find("slim, medium and thick") != std::string::npos);
  CHECK(find_network("../slim", 2, {}).error().code == error_code::invalid_argument);
  CHECK(find_network("slim", 5, {}).error().hint.find("2, 3, 4 and 8") != std::string::npos);
}
