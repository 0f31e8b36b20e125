// The tokens, on disk and off it.
#include "http/token_store.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::http;
using ferry::tests::scratch_folder;

namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

} // namespace

TEST_CASE("a token is known by its hash alone, and outlives the daemon") {
  const scratch_folder folder;
  const auto file = folder.path() / "tokens.json";
  auto store = token_store::open(file, "ada");
  REQUIRE(store);
  const auto token = store->add("eve", role::submit, from_unix_ms(1'700'000'000'000));
  REQUIRE(token);
  CHECK(token->size() == 64);
  CHECK(text_of(file).find(*token) == std::string::npos);
  struct stat about {};
  REQUIRE(::stat(file.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);

  auto again = token_store::open(file, "ada");
  REQUIRE(again);
  const auto who = again->find(*token);
  REQUIRE(who);
  CHECK(who->user == "eve");
  CHECK(who->level == role::submit);
  CHECK(again->named().at(0).created == from_unix_ms(1'700'000'000'000));
  CHECK_FALSE(again->find(""));
  CHECK_FALSE(again->find(token->substr(1)));
  CHECK_FALSE(again->find(again->named().at(0).sha256)); // the hash is no token
  CHECK(again->add("eve", role::read, {}).error().code == error_code::conflict);
  REQUIRE(again->remove("eve"));
  CHECK_FALSE(again->find(*token));
  CHECK_FALSE(token_store::open(file, "ada")->find(*token));
  CHECK(again->remove("eve").error().code == error_code::not_found);
}

TEST_CASE("the owner's token is the owner's, with every right") {
  auto store = token_store::open("/nonexistent/tokens.json", "ada");
  REQUIRE(store);
  CHECK_FALSE(store->find(""));
  store->set_owner_token("secret");
  REQUIRE(store->find("secret"));
  CHECK(store->find("secret")->user == "ada");
  CHECK(store->find("secret")->level == role::admin);
  // Where it cannot be stored, a token is not given.
  CHECK(store->add("eve", role::read, {}).error().code == error_code::io);
  CHECK(store->named().empty());
}

TEST_CASE("names and files that cannot be right are refused") {
  const scratch_folder folder;
  const auto file = folder.path() / "tokens.json";
  auto store = token_store::open(file, "ada");
  CHECK(store->add("", role::read, {}).error().code == error_code::invalid_argument);
  CHECK(store->add("a/b", role::read, {}).error().code == error_code::invalid_argument);
  CHECK(store->add(std::string(101, 'x'), role::read, {}).error().code == error_code::too_large);
  for (const char* text : {"", "{", "[]", "{\"tokens\":{}}", "{\"tokens\":[{}]}",
                           "{\"tokens\":[{\"name\":\"a\",\"role\":\"king\",\"sha256\":\"00\",\"created_ms\":1}]}"}) {
    std::ofstream(file) << text;
    CHECK(token_store::open(file, "ada").error().code == error_code::damaged);
    std::filesystem::remove(file);
  }
}
