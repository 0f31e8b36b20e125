// Uploads and datasets of a real daemon: broken connections, ends of the daemon, a disk that fills, paths that lead elsewhere.
#include "tests/integration/daemon_process.hpp"
#include "tests/integration/raw_http.hpp"
#include "tests/support/file_text.hpp"

#include <fstream>
#include <sys/mount.h>

using namespace ferry;
using namespace ferry::tests;
namespace fs = std::filesystem;

namespace {

std::string sha256_of(const std::string& content) {
  const scratch_directory scratch;
  std::ofstream(scratch.path() / "content") << content;
  return run_program({"sha256sum", (scratch.path() / "content").string()}).output.substr(0, 64);
}

// Bytes of which no two pieces are alike, so that one that lands elsewhere is noticed.
std::string content_of(std::size_t bytes) {
  std::string content;
  std::uint32_t state = 1;
  while (content.size() < bytes)
    content += static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  return content;
}

raw_answer send_part(raw_connection& connection, const std::string& id, std::size_t offset, const std::string& bytes) {
  return connection.ask("PATCH", "/api/v1/uploads/" + id, {"Upload-Offset: " + std::to_string(offset)}, bytes);
}

raw_answer send_part(const daemon_process& daemon, const std::string& id, std::size_t offset, const std::string& bytes) {
  raw_connection connection(daemon.socket());
  return send_part(connection, id, offset, bytes);
}

std::string begin(daemon_process& daemon, const json& plan) {
  const auto begun = daemon.post("/uploads", plan);
  CHECK(begun.at("offset") == 0);
  return begun.at("upload");
}

// Announces `length` bytes and sends fewer of them.
void send_and_break(const daemon_process& daemon, const std::string& id, std::size_t offset, std::size_t length,
                    const std::string& bytes) {
  const raw_connection connection(daemon.socket());
  connection.send("PATCH /api/v1/uploads/" + id + " HTTP/1.1\r\nHost: localhost\r\nUpload-Offset: " + std::to_string(offset) +
                  "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" + bytes);
}

std::string upload_whole(daemon_process& daemon, const json& plan, const std::string& content) {
  const auto answer = send_part(daemon, begin(daemon, plan), 0, content);
  REQUIRE(answer.status == 200);
  return json::parse(answer.body).at("path");
}

} // namespace

TEST_CASE("an upload is taken in parts over one connection, and is a parameter's path then") {
  daemon_process daemon;
  daemon.start();
  const auto content = content_of(20 << 20); // more than any other request may have
  const auto id = begin(daemon, {{"name", "china.jpg"}, {"bytes", content.size()}, {"sha256", sha256_of(content)}});
  raw_connection connection(daemon.socket());
  const std::size_t half = 17 << 20;
  const auto first = send_part(connection, id, 0, content.substr(0, half));
  REQUIRE(first.status == 200);
  CHECK(json::parse(first.body)["offset"] == half);
  CHECK(daemon.get("/uploads/" + id) == json{{"offset", half}, {"bytes", content.size()}});
  CHECK(files_below(daemon.data() / "inputs") == 0);

  const auto wrong = send_part(connection, id, 5, "x");
  CHECK(wrong.status == 409);
  CHECK(json::parse(wrong.body)["offset"] == half);
  CHECK(json::parse(wrong.body)["error"]["code"] == "conflict");
  const auto too_long = send_part(daemon, id, half, content.substr(half) + "x"); // more than is missing
  CHECK(too_long.status == 413);
  CHECK(daemon.get("/uploads/" + id)["offset"] == half);

  const auto last = send_part(daemon, id, half, content.substr(half));
  REQUIRE(last.status == 200);
  const auto told = json::parse(last.body);
  CHECK(told["sha256"] == sha256_of(content));
  CHECK(told["path"] == (daemon.data() / "inputs" / sha256_of(content).substr(0, 16) / "china.jpg").string());
  CHECK(text_of(told["path"].get<std::string>()) == content);
  // Whoever missed the answer asks again.
  CHECK(json::parse(send_part(daemon, id, content.size(), "").body)["path"] == told["path"]);
  CHECK(daemon.get("/uploads/" + id)["path"] == told["path"]);
  const auto job = daemon.finished(daemon.submit_script("cat " + told["path"].get<std::string>() + " | wc -c > size"));
  CHECK(text_of(fs::path(job["directory"].get<std::string>()) / "size") == std::to_string(content.size()) + "\n");
}

TEST_CASE("an upload goes on after a broken connection and after kill -9, and leaves no half file") {
  daemon_process daemon;
  daemon.start();
  const auto content = content_of(1 << 20);
  const auto id = begin(daemon, {{"name", "a.bin"}, {"bytes", content.size()}});
  send_and_break(daemon, id, 0, content.size(), content.substr(0, 300'000));
  eventually([&] { return daemon.get("/uploads/" + id)["offset"] == 300'000; });

  // A connection that nobody has ended yet does not keep another one from going on.
  const raw_connection hanging(daemon.socket());
  hanging.send("PATCH /api/v1/uploads/" + id +
               " HTTP/1.1\r\nHost: localhost\r\nUpload-Offset: 300000\r\nContent-Length: 500000\r\n\r\n");
  CHECK(send_part(daemon, id, 300'000, content.substr(300'000, 100'000)).status == 200);
  hanging.send(std::string(500'000, '#'));
  CHECK(hanging.read().starts_with("HTTP/1.1 409"));
  CHECK(daemon.get("/uploads/" + id)["offset"] == 400'000);

  daemon.crash_and_start();
  CHECK(files_below(daemon.data() / "inputs") == 0);
  CHECK(daemon.get("/uploads/" + id)["offset"] == 400'000);
  const auto last = send_part(daemon, id, 400'000, content.substr(400'000));
  REQUIRE(last.status == 200);
  CHECK(json::parse(last.body)["sha256"] == sha256_of(content));
  CHECK(text_of(json::parse(last.body)["path"].get<std::string>()) == content);
  daemon.crash_and_start();
  CHECK(daemon.get("/uploads/" + id)["path"] == json::parse(last.body)["path"]);
}

TEST_CASE("an upload that is wrong is refused with what is wrong") {
  daemon_process daemon;
  daemon.start();
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "a\\nb", "a\\u0000b"})
    CHECK(daemon.refused("POST", "/uploads", R"({"bytes": 1, "name": ")" + std::string(name) + "\"}").code ==
          error_code::invalid_argument);
  for (const json& plan : {json{{"name", "a"}}, json{{"bytes", 1}}, json{{"name", "a"}, {"bytes", -1}},
                           json{{"name", "a"}, {"bytes", 1}, {"sha256", "abc"}}, json{{"name", "a"}, {"bytes", 1}, {"path", "b"}},
                           json{{"name", "a"}, {"bytes", 1}, {"dataset", ".."}},
                           json{{"name", "a"}, {"bytes", 1}, {"dataset", "d"}, {"path", "../b"}}})
    CHECK(daemon.refused("POST", "/uploads", plan.dump()).code == error_code::invalid_argument);
  CHECK(daemon.refused("POST", "/uploads", R"({"name": "a", "bytes": 21474836481})").code == error_code::too_large);
  CHECK(daemon.refused("GET", "/uploads/none").code == error_code::not_found);

  const auto id = begin(daemon, {{"name", "a"}, {"bytes", 3}, {"sha256", sha256_of("abc")}});
  raw_connection connection(daemon.socket());
  CHECK(connection.ask("PATCH", "/api/v1/uploads/" + id, {}, "abd").status == 400); // no offset
  CHECK(send_part(daemon, id, 0, "abd").status == 400);
  CHECK(files_below(daemon.data() / "inputs") == 0);
  CHECK(daemon.refused("GET", "/uploads/" + id).code == error_code::not_found);

  const auto dropped = begin(daemon, {{"name", "a"}, {"bytes", 3}});
  CHECK(daemon.connect()->send({"DELETE", "/uploads/" + dropped}));
  CHECK(daemon.refused("GET", "/uploads/" + dropped).code == error_code::not_found);
  CHECK(files_below(daemon.data() / "uploads") == 0);
}

TEST_CASE("how much may be uploaded is configured, and said where it is too much") {
  daemon_process daemon({}, 1, {}, "[uploads]\nmax_file_mib = 2\nmax_total_mib = 3\n");
  daemon.start();
  const auto too_large = daemon.refused("POST", "/uploads", R"({"name": "a", "bytes": 2097153})");
  CHECK(too_large.code == error_code::too_large);
  CHECK(too_large.what == "the file has 2097153 bytes; uploads.max_file_mib is 2");
  const auto content = content_of(2 << 20);
  const auto path = upload_whole(daemon, {{"name", "a"}, {"bytes", content.size()}}, content);
  const auto too_much = daemon.refused("POST", "/uploads", R"({"name": "b", "bytes": 1048577})");
  CHECK(too_much.code == error_code::disk_full);
  CHECK(too_much.what.find("uploads.max_total_mib is 3") != std::string::npos);
  fs::remove(path); // by hand: that is noticed before anybody is refused
  CHECK(begin(daemon, {{"name", "b"}, {"bytes", content.size()}}).size() == 32);
}

TEST_CASE("with the role submit one goes on with one's own uploads alone") {
  daemon_process daemon({}, 1, "[http.tcp]\nlisten = \"127.0.0.1:0\"\n");
  daemon.start();
  const auto address = daemon.get("/status")["http"]["address"].get<std::string>();
  const int port = std::stoi(address.substr(address.find(':') + 1));
  const auto token = [&](const char* name, const char* role) {
    return "Authorization: Bearer " + daemon.post("/tokens", {{"name", name}, {"role", role}})["token"].get<std::string>();
  };
  const auto rita = token("rita", "read"), ada = token("ada", "submit"), eve = token("eve", "submit");
  const auto ask = [&](const std::string& who, const std::string& method, const std::string& path, const std::string& body = {}) {
    return raw_connection(port).ask(method, "/api/v1" + path, {who, "Upload-Offset: 0"}, body);
  };
  const std::string plan = R"({"name": "a", "bytes": 3})";
  CHECK(ask(rita, "POST", "/uploads", plan).status == 403);
  const auto begun = ask(ada, "POST", "/uploads", plan);
  REQUIRE(begun.status == 201);
  const auto path = "/uploads/" + json::parse(begun.body)["upload"].get<std::string>();
  CHECK(ask(eve, "GET", path).status == 403);
  CHECK(ask(eve, "PATCH", path, "abc").status == 403);
  CHECK(ask(eve, "DELETE", path).status == 403);
  CHECK(ask(ada, "PATCH", path, "abc").status == 200);
  CHECK(daemon.get(path)["offset"] == 3); // the owner of the daemon
  CHECK(ask(rita, "POST", "/datasets", R"({"name": "d"})").status == 403);
  CHECK(ask(rita, "GET", "/datasets").status == 200);
}

TEST_CASE("datasets are made, filled, looked at and removed") {
  daemon_process daemon;
  daemon.start();
  CHECK(daemon.get("/datasets")["datasets"].empty());
  daemon.post("/datasets", {{"name", "cats"}});
  CHECK(daemon.refused("POST", "/datasets", R"({"name": "cats"})").code == error_code::conflict);
  CHECK(daemon.refused("POST", "/datasets", R"({"name": "a/b"})").code == error_code::invalid_argument);
  const auto path = upload_whole(daemon, {{"name", "1.png"}, {"bytes", 3}, {"dataset", "cats"}, {"path", "train/1.png"}}, "png");
  CHECK(path == (daemon.data() / "datasets" / "cats" / "train" / "1.png").string());
  upload_whole(daemon, {{"name", "page.html"}, {"bytes", 4}, {"dataset", "cats"}}, "html");
  upload_whole(daemon, {{"name", "empty"}, {"bytes", 0}, {"dataset", "cats"}}, "");

  const auto listed = daemon.get("/datasets")["datasets"];
  REQUIRE(listed.size() == 1);
  CHECK(listed[0]["name"] == "cats");
  CHECK(listed[0]["files"] == 3);
  CHECK(listed[0]["bytes"] == 7);
  CHECK(listed[0]["path"] == (daemon.data() / "datasets" / "cats").string());
  const auto shown = daemon.get("/datasets/cats?offset=1&limit=5");
  CHECK(shown["total"] == 3);
  CHECK(shown["files"] == json::array({{{"path", "page.html"}, {"bytes", 4}, {"media_type", "application/octet-stream"}},
                                       {{"path", "train/1.png"}, {"bytes", 3}, {"media_type", "image/png"}}}));

  raw_connection connection(daemon.socket());
  const auto picture = connection.ask("GET", "/api/v1/datasets/cats/files/train/1.png");
  CHECK(picture.status == 200);
  CHECK(picture.body == "png");
  CHECK(picture.header("Content-Type") == "image/png");
  CHECK(picture.header("Content-Disposition").starts_with("inline; filename=\"1.png\""));
  const auto piece = connection.ask("GET", "/api/v1/datasets/cats/files/train/1.png", {"Range: bytes=0-1"});
  CHECK(piece.status == 206);
  CHECK(piece.body == picture.body.substr(0, 2));
  const auto page = connection.ask("GET", "/api/v1/datasets/cats/files/page.html");
  CHECK(page.body == "html");
  CHECK(page.header("Content-Type") == "application/octet-stream"); // nothing that a browser would run
  CHECK(page.header("Content-Disposition").starts_with("attachment; filename=\"page.html\""));
  CHECK(page.header("X-Content-Type-Options") == "nosniff");
  CHECK(page.header("Content-Security-Policy").starts_with("sandbox"));
  CHECK(connection.ask("GET", "/api/v1/datasets/cats/files/empty").body.empty());

  CHECK(connection.ask("DELETE", "/api/v1/datasets/cats/files/train/1.png").status == 200);
  CHECK(connection.ask("DELETE", "/api/v1/datasets/cats/files/train/1.png").status == 404);
  CHECK(daemon.get("/datasets/cats")["total"] == 2);
  CHECK(connection.ask("DELETE", "/api/v1/datasets/cats").status == 200);
  CHECK(daemon.get("/datasets")["datasets"].empty());
  CHECK(daemon.refused("GET", "/datasets/cats").code == error_code::not_found);
  CHECK_FALSE(fs::exists(daemon.data() / "datasets" / "cats"));
}

TEST_CASE("no path of a request leaves the dataset") {
  daemon_process daemon;
  daemon.start();
  upload_whole(daemon, {{"name", "a.txt"}, {"bytes", 1}, {"dataset", "cats"}}, "a");
  const auto cats = daemon.data() / "datasets" / "cats";
  fs::create_symlink(daemon.config(), cats / "link.txt");
  fs::create_directory_symlink(daemon.directory(), cats / "linked");
  raw_connection connection(daemon.socket());
  REQUIRE(connection.ask("GET", "/api/v1/datasets/cats/files/a.txt").status == 200);
  for (const char* path :
       {"link.txt", "linked/ferry.toml", "../../ferry.db", "..%2F..%2Fferry.db", "%2e%2e/%2e%2e/ferry.db", "..%2f..%2fferry.db",
        "a.txt%00.png", "%2Fetc%2Fpasswd", "/etc/passwd", "./a.txt", "", "..", "linked%2fferry.toml", "%5C..%5Cferry.db"}) {
    INFO(path);
    const auto target = "/api/v1/datasets/cats/files/" + std::string(path);
    for (const char* method : {"GET", "DELETE"}) {
      const auto answer = connection.ask(method, target);
      CHECK((answer.status == 400 || answer.status == 404));
    }
  }
  for (const char* name : {"..", "%2e%2e", "..%2fcats", ".", "cats%00"})
    CHECK(connection.ask("DELETE", "/api/v1/datasets/" + std::string(name)).status / 100 == 4);
  CHECK(fs::exists(daemon.config()));
  CHECK(fs::exists(cats / "link.txt"));
  CHECK(text_of(cats / "a.txt") == "a");
}

TEST_CASE("a disk that fills refuses an upload and keeps nothing of it") {
  daemon_process daemon({}, 1, {}, "free_mib_min = 1\n");
  fs::create_directory(daemon.data());
  if (::mount("ferry-test", daemon.data().c_str(), "tmpfs", 0, "size=16m,mode=0700") != 0)
    SKIP("mounting a small disk needs root");
  struct unmount {
    fs::path at;
    ~unmount() { ::umount2(at.c_str(), MNT_DETACH); }
  } guard{daemon.data()};
  daemon.start();
  CHECK(daemon.refused("POST", "/uploads", R"({"name": "a", "bytes": 20000000})").code == error_code::disk_full);
  CHECK(files_below(daemon.data() / "uploads") == 0);
  const auto content = content_of(4 << 20);
  const auto id = begin(daemon, {{"name", "a"}, {"bytes", content.size()}});
  CHECK(send_part(daemon, id, 0, content.substr(0, 1 << 20)).status == 200);
  const auto ballast = daemon.data() / "ballast"; // what somebody else writes meanwhile
  std::ofstream(ballast) << std::string(16 << 20, 'b');
  const auto refused = send_part(daemon, id, 1 << 20, content.substr(1 << 20, 1 << 20));
  CHECK(refused.status == 507);
  CHECK(json::parse(refused.body)["error"]["code"] == "disk_full");
  CHECK(files_below(daemon.data() / "uploads") == 0);
  CHECK(files_below(daemon.data() / "inputs") == 0);
  fs::remove(ballast);
  CHECK(text_of(upload_whole(daemon, {{"name", "a"}, {"bytes", content.size()}}, content)) == content);
}
