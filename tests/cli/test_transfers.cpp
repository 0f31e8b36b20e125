// Uploads and downloads: what is sent where, and what happens to connections on the way.
#include "cli/download.hpp"
#include "cli/sha256.hpp"
#include "cli/transfer_line.hpp"
#include "cli/upload_sources.hpp"
#include "ferry_process.hpp"
#include "scripted_daemon.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace ferry;
using namespace ferry::cli;
using namespace ferry::cli::test;

namespace {

std::string digest_of(const std::string& text) {
  sha256 hash;
  hash.add(text);
  return hash.finish();
}

// A daemon that keeps what is uploaded to it, and can be told to break off.
class taking_daemon {
public:
  taking_daemon() : daemon_([this](const asked& what) { return answer(what); }) {}

  scripted_daemon& operator*() { return daemon_; }
  scripted_daemon* operator->() { return &daemon_; }
  std::filesystem::path file(const std::string& content) const {
    const auto path = daemon_.folder() / "made.bin";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  std::size_t takes_first = std::string::npos; // of the first piece; then it hangs up
  std::string swapped;                         // what it claims to have got

private:
  reply answer(const asked& what) {
    if (what.method == "POST") {
      expected_ = json::parse(what.body)["bytes"];
      return {.status = 201, .body = R"({"upload":"u1","offset":0})"};
    }
    if (what.method == "GET")
      return {.body = state().dump()};
    CHECK(std::stoul(what.upload_offset) == kept_.size());
    const auto now = std::exchange(takes_first, std::string::npos);
    kept_ += what.body.substr(0, now);
    return {.body = state().dump(), .hang_up = now != std::string::npos};
  }
  json state() const {
    json now{{"offset", kept_.size()}, {"bytes", expected_}};
    if (kept_.size() == expected_)
      now.update({{"path", "/data/inputs/1/made.bin"}, {"sha256", digest_of(swapped.empty() ? kept_ : swapped)}});
    return now;
  }

  std::size_t expected_ = 0;
  std::string kept_;
  scripted_daemon daemon_;
};

class folder {
public:
  std::string make(const std::string& name) const {
    const auto file = scratch_.path() / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << name;
    return file.string();
  }
  [[nodiscard]] std::string path() const { return scratch_.path().string(); }

private:
  ferry::tests::scratch_folder scratch_;
};

std::vector<std::string> names_of(const upload_sources& sources) {
  std::vector<std::string> names;
  for (const auto& one : sources.files)
    names.push_back(one.name);
  return names;
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("SHA-256 is what the standard says") {
  CHECK(digest_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  sha256 pieces;
  for (int i = 0; i < 1000; ++i)
    pieces.add(std::string(1000, 'a'));
  CHECK(pieces.finish() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("an upload prints the path alone where it is asked to") {
  taking_daemon daemon;
  const auto r = run_ferry({"upload", "-q", daemon.file("hello").string()}, {.socket = daemon->socket()});
  CHECK(r.out == "/data/inputs/1/made.bin\n");
  CHECK(r.err.empty());
  CHECK(r.status == 0);
  const auto asked = daemon->requests();
  REQUIRE(asked.size() == 2);
  CHECK(json::parse(asked[0].body) == json{{"name", "made.bin"}, {"bytes", 5}});
  CHECK(asked[1].body == "hello");
}

TEST_CASE("an upload goes on where the connection broke") {
  taking_daemon daemon;
  daemon.takes_first = 3;
  const auto r = run_ferry({"upload", "--format", "json", daemon.file("hello").string()}, {.socket = daemon->socket()});
  CHECK(r.err.empty());
  const auto told = json::parse(r.out);
  CHECK(told["path"] == "/data/inputs/1/made.bin");
  CHECK(told["sha256"] == digest_of("hello"));
  const auto asked = daemon->requests();
  REQUIRE(asked.size() == 4);
  CHECK(asked[2].method == "GET");
  CHECK(asked[3].upload_offset == "3");
  CHECK(asked[3].body == "lo");
}

TEST_CASE("an upload whose last answer was lost is not sent again") {
  taking_daemon daemon;
  daemon.takes_first = 5;
  CHECK(run_ferry({"upload", "-q", daemon.file("hello").string()}, {.socket = daemon->socket()}).out ==
        "/data/inputs/1/made.bin\n");
  CHECK(daemon->requests().size() == 3);
}

TEST_CASE("what arrived is compared with what was sent") {
  taking_daemon daemon;
  daemon.swapped = "jello";
  const auto r = run_ferry({"upload", daemon.file("hello").string()}, {.socket = daemon->socket()});
  CHECK(r.status == 2);
  CHECK(r.out.empty());
  CHECK(r.err.find("what arrived is not what is there") != std::string::npos);
}

TEST_CASE("an empty file is uploaded as well") {
  taking_daemon daemon;
  CHECK(run_ferry({"upload", "-q", daemon.file("").string()}, {.socket = daemon->socket()}).out == "/data/inputs/1/made.bin\n");
}

TEST_CASE("an upload that fails says how to go on with it") {
  scripted_daemon daemon([](const asked& what) {
    if (what.method == "POST")
      return reply{.status = 201, .body = R"({"upload":"u1","offset":0})"};
    return reply{.status = 507, .body = R"({"error":{"code":"disk_full","message":"no room","hint":"","problems":[]}})"};
  });
  const auto file = daemon.folder() / "a.txt";
  std::ofstream(file) << "hello";
  const auto r = run_ferry({"upload", file.string()}, {.socket = daemon.socket()});
  CHECK(r.status == 7);
  CHECK(r.err == "ferry: no room (`ferry upload --resume u1 " + file.string() + "` goes on with it)\n");
}

TEST_CASE("files keep their names, and those of a folder their paths below it") {
  const folder here;
  const auto a = here.make("a.txt"), b = here.make("clips/one/b.png"), c = here.make("clips/c.png");
  CHECK(names_of(find_upload_sources({a, b}, {}, {}).value()) == names{"a.txt", "b.png"});
  CHECK(names_of(find_upload_sources({here.path() + "/clips/"}, "cats", {}).value()) == names{"c.png", "one/b.png"});
  CHECK(names_of(find_upload_sources({here.path() + "/clips", a}, "cats", "x/").value()) ==
        names{"x/c.png", "x/one/b.png", "x/a.txt"});
  CHECK(names_of(find_upload_sources({a}, "cats", "x/y.txt").value()) == names{"x/y.txt"});
  CHECK(names_of(find_upload_sources({a}, "cats", "x/").value()) == names{"x/a.txt"});
}

TEST_CASE("what a dataset does not take is counted, and what it cannot mean is refused") {
  const folder here;
  const auto a = here.make("clips/a.png");
  here.make("clips/.hidden");
  here.make("clips/.git/config");
  here.make("other/a.png");
  std::filesystem::create_directory_symlink("/", here.path() + "/clips/root");
  std::filesystem::create_symlink(a, here.path() + "/clips/link.png");
  const auto found = find_upload_sources({here.path() + "/clips"}, "cats", {}).value();
  CHECK(names_of(found) == names{"a.png", "link.png"});
  CHECK(found.left_out == 3);
  const auto why = [&](const std::vector<std::string>& given, std::optional<std::string> dataset, std::optional<std::string> path) {
    const auto sources = find_upload_sources(given, dataset, path);
    return sources ? "" : to_string(sources.error());
  };
  CHECK(why({here.path() + "/clips"}, {}, {}).find("--dataset NAME says where its files go") != std::string::npos);
  CHECK(why({a}, {}, "x").find("--path goes with --dataset") == 0);
  CHECK(why({here.path() + "/none"}, {}, {}).find("there is no file") == 0);
  CHECK(why({"/dev/null"}, {}, {}).find("/dev/null is neither a regular file nor a folder") == 0);
  CHECK(why({here.path() + "/clips", here.path() + "/other"}, "cats", {}).find("would both become a.png") != std::string::npos);
  CHECK(why({here.path() + "/clips/.git"}, "cats", {}).empty());
}

TEST_CASE("a file of a job never lands outside of the folder it was fetched into") {
  CHECK(safe_relative_path("7/made.txt").value() == "7/made.txt");
  for (const char* path : {"", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "."})
    CHECK_FALSE(safe_relative_path(path).has_value());
  scripted_daemon daemon([](const asked&) {
    return reply{.body = R"({"artifacts":[{"path":"../../evil","bytes":1,"modified":null}],"is_whole":true})"};
  });
  const auto r = run_ferry({"artifacts", "1", "--get"}, {.socket = daemon.socket(), .directory = daemon.folder()});
  CHECK(r.status == 7);
  CHECK(daemon.requests().size() == 1);
}

TEST_CASE("the line of a transfer keeps to the terminal") {
  style narrow{.width = 60, .color = false, .unicode = true};
  const transfer_state state{.name = "a_very_long_name_of_a_picture.png",
                             .number = 3,
                             .files = 12,
                             .done = 4 << 20,
                             .total = 16 << 20,
                             .moved = 4 << 20,
                             .spent = std::chrono::seconds(2)};
  const auto line = transfer_line(state, narrow);
  CHECK(line.starts_with("3/12 a_very"));
  CHECK(line.find("25%") != std::string::npos);
  narrow.width = 0;
  CHECK(transfer_line(state, narrow).ends_with("25%  4 MiB of 16 MiB  2 MiB/s"));
}

TEST_CASE("a dataset is removed only when it is meant") {
  scripted_daemon daemon([](const asked&) { return reply{.body = R"({"name":"cats","removed":true,"total":3})"}; });
  const auto refused = run_ferry({"datasets", "remove", "cats"}, {.socket = daemon.socket()});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("--yes removes it") != std::string::npos);
  CHECK(daemon.requests().empty());
  const auto done = run_ferry({"datasets", "remove", "cats", "a b/c.png", "--yes"}, {.socket = daemon.socket()});
  CHECK(done.out == "1 file is removed\n");
  REQUIRE(daemon.requests().size() == 1);
  CHECK(daemon.requests().front().method == "DELETE");
  CHECK(daemon.requests().front().target == "/api/v1/datasets/cats/files/a%20b/c.png");
}
