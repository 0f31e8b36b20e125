// What jobs left in their directories: GET /jobs/{id}/artifacts.
#include "tests/integration/daemon_process.hpp"
#include "tests/integration/raw_http.hpp"
#include "tests/support/file_text.hpp"

#include <fstream>
#include <sstream>

using namespace ferry;
using namespace ferry::tests;

namespace {

std::string path_of(std::int64_t id, const std::string& rest) { return "/jobs/" + std::to_string(id) + "/artifacts" + rest; }

struct reader_of_files {
  daemon_process& daemon;
  std::int64_t id;
  raw_answer ask(const std::string& rest, const std::vector<std::string>& headers = {}, const std::string& method = "GET") const {
    return raw_connection(daemon.socket()).ask(method, "/api/v1" + path_of(id, rest), headers);
  }
};

std::vector<std::string> paths(const json& answer) {
  std::vector<std::string> all;
  for (const json& file : answer["artifacts"])
    all.push_back(file["path"]);
  return all;
}

} // namespace

TEST_CASE("the files of a job are listed while it runs, and read whole, in part and not at all") {
  daemon_process daemon;
  daemon.start();
  const auto go = (daemon.directory() / "go").string();
  const auto id = daemon.submit_script(
      "mkdir -p out && printf 0123456789 > out/digits.txt && printf '{}' > data.json && echo '<script>' > page.html && "
      "while ! test -e " +
      go + "; do sleep 0.02; done; touch late");
  const reader_of_files files{daemon, id};
  eventually([&] { return daemon.get(path_of(id, ""))["artifacts"].size() == 3; });
  const json list = daemon.get(path_of(id, ""));
  CHECK(list["is_whole"] == true);
  CHECK(paths(list) == std::vector<std::string>{"data.json", "out/digits.txt", "page.html"});
  CHECK(list["artifacts"][1]["bytes"] == 10);
  CHECK(list["artifacts"][1]["media_type"] == "text/plain; charset=utf-8");
  CHECK(list["artifacts"][1]["batch"] == daemon.get("/jobs/" + std::to_string(id))["batch"]);
  CHECK(list["artifacts"][2]["media_type"] == "application/octet-stream");

  const auto whole = files.ask("/out/digits.txt");
  CHECK(whole.status == 200);
  CHECK(whole.body == "0123456789");
  CHECK(whole.header("Content-Type") == "text/plain; charset=utf-8");
  CHECK(whole.header("Content-Disposition").starts_with("inline; filename=\"digits.txt\""));
  CHECK(whole.header("Content-Security-Policy") == "sandbox; default-src 'none'");
  CHECK(whole.header("X-Content-Type-Options") == "nosniff");
  CHECK(whole.header("Accept-Ranges") == "bytes");
  const auto tag = whole.header("ETag");
  REQUIRE(tag.size() > 2);
  CHECK(files.ask("/data.json").header("Content-Type") == "application/json");
  CHECK(files.ask("/out/digits.txt?download=1").header("Content-Disposition").starts_with("attachment; filename=\"digits.txt\""));
  CHECK(files.ask("/out/digits.txt?download=1").header("Content-Type") == "application/octet-stream");
  CHECK(files.ask("/out/digits.txt?download=2").status == 400);
  CHECK(files.ask("/out/digits.txt?other=1").status == 400);
  const auto page = files.ask("/page.html"); // nothing of a job's is ever a page
  CHECK(page.header("Content-Type") == "application/octet-stream");
  CHECK(page.header("Content-Disposition").starts_with("attachment"));

  const auto part = files.ask("/out/digits.txt", {"Range: bytes=2-4"});
  CHECK(part.status == 206);
  CHECK(part.body == "234");
  CHECK(part.header("Content-Range") == "bytes 2-4/10");
  CHECK(files.ask("/out/digits.txt", {"Range: bytes=-3"}).body == "789");
  CHECK(files.ask("/out/digits.txt", {"Range: bytes=8-"}).body == "89");
  const auto behind = files.ask("/out/digits.txt", {"Range: bytes=10-"});
  CHECK(behind.status == 416);
  CHECK(behind.header("Content-Range") == "bytes */10");
  CHECK(files.ask("/out/digits.txt", {"Range: bytes=0-1,4-5"}).status == 200);
  CHECK(files.ask("/out/digits.txt", {"Range: bytes=2-4", "If-Range: " + tag}).status == 206);
  CHECK(files.ask("/out/digits.txt", {"Range: bytes=2-4", "If-Range: \"other\""}).body == "0123456789");
  const auto known = files.ask("/out/digits.txt", {"If-None-Match: " + tag});
  CHECK(known.status == 304);
  CHECK(known.header("ETag") == tag);
  CHECK(files.ask("/out/digits.txt", {"If-None-Match: \"other\""}).status == 200);

  raw_connection same(daemon.socket()); // a HEAD, and the connection is good for the next one
  const auto head = same.ask("HEAD", "/api/v1" + path_of(id, "/out/digits.txt"));
  CHECK(head.status == 200);
  CHECK(head.header("Content-Length") == "10");
  CHECK(head.header("ETag") == tag);
  CHECK(same.ask("HEAD", "/api/v1" + path_of(id, "")).status == 200);
  CHECK(same.ask("GET", "/api/v1" + path_of(id, "/out/digits.txt")).body == "0123456789");

  std::ofstream(go).flush();
  daemon.finished(id);
  CHECK(paths(daemon.get(path_of(id, ""))).size() == 4);
}

TEST_CASE("a path that leads out of a job's directory leads nowhere") {
  daemon_process daemon;
  daemon.start();
  const auto id = daemon.submit_script("echo own > own.txt; ln -s /etc/passwd link.txt; ln -s /etc etc; ln -s . here; mkfifo pipe");
  const auto other = daemon.submit_script("echo secret > secret.txt");
  daemon.finished(id), daemon.finished(other);
  const reader_of_files files{daemon, id};
  CHECK(files.ask("/own.txt").body == "own\n");
  CHECK(paths(daemon.get(path_of(id, ""))) == std::vector<std::string>{"own.txt"});
  const auto batch = daemon.get("/jobs/" + std::to_string(other))["batch"].dump();
  const auto secret = batch + "/jobs/" + std::to_string(other) + "/secret.txt";
  REQUIRE(std::filesystem::exists(daemon.data() / "runs" / secret));
  std::string escaped = secret;
  for (std::size_t at = 0; (at = escaped.find('/', at)) != escaped.npos;)
    escaped.replace(at, 1, "%2F");
  for (const std::string& path :
       {"/../../../" + secret, "/%2e%2e/%2e%2e/%2e%2e/" + secret, "/..%2f..%2f..%2f" + escaped,
        "/%2e%2e%2f%2e%2e%2f%2e%2e%2f" + escaped, std::string("/../../../output.log"), std::string("/own.txt/../../../spec.json"),
        std::string("//etc/passwd"), std::string("/%2Fetc%2Fpasswd"), std::string("/./own.txt"), std::string("/own.txt%00"),
        std::string("/own.txt%00.png"), std::string("/"), std::string("/%5c..%5c..")}) {
    CAPTURE(path);
    const auto answer = files.ask(path);
    CHECK((answer.status == 400 || answer.status == 404));
    CHECK(json::parse(answer.body).contains("error"));
  }
  for (const char* path : {"/link.txt", "/etc/passwd", "/here/own.txt", "/pipe", "/none.txt", "/etc", "/here"}) {
    CAPTURE(path);
    CHECK(files.ask(path).status == 404);
  }
  CHECK(files.ask("/own.txt", {}, "POST").status == 405);
  CHECK(raw_connection(daemon.socket()).ask("GET", "/api/v1/jobs/999/artifacts/own.txt").status == 404);
  CHECK(raw_connection(daemon.socket()).ask("GET", "/api/v1/jobs/999/artifacts").status == 404);
}

TEST_CASE("a file that shrinks while it is read ends in a connection cut off, not in made-up bytes") {
  daemon_process daemon;
  daemon.start();
  constexpr std::uintmax_t bytes = 64 * 1024 * 1024; // far more than the buffers of a connection hold
  const auto id = daemon.submit_script("truncate -s 64M large");
  daemon.finished(id);
  const auto job = daemon.get("/jobs/" + std::to_string(id));
  raw_connection reader(daemon.socket());
  reader.send("GET /api/v1" + path_of(id, "/large") + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto head = reader.read_until("\r\n\r\n");
  CHECK(head.find("Content-Length: " + std::to_string(bytes)) != std::string::npos);
  std::filesystem::resize_file(std::filesystem::path(job["directory"].get<std::string>()) / "large", 1000);
  std::uintmax_t came = 0;
  while (came < bytes) {
    const auto piece = reader.read();
    if (piece.empty())
      break;
    came += piece.size();
  }
  CHECK(came < bytes);
  CHECK(daemon.get("/status")["counts"]["completed"] == 1); // and the daemon goes on
}

TEST_CASE("all files of a job are one archive") {
  daemon_process daemon;
  daemon.start();
  const auto id = daemon.submit_script(
      "mkdir -p a/b && echo one > a/b/one.txt && head -c 1000000 /dev/zero > zeros && : > empty && ln -s /etc/passwd link");
  daemon.finished(id);
  const reader_of_files files{daemon, id};
  const auto answer = files.ask("?archive=tar");
  CHECK(answer.status == 200);
  CHECK(answer.header("Content-Type") == "application/x-tar");
  const auto name = "job-" + std::to_string(id);
  CHECK(answer.header("Content-Disposition") == "attachment; filename=\"" + name + ".tar\"");
  const auto archive = daemon.directory() / "all.tar";
  std::ofstream(archive, std::ios::binary) << answer.body;
  const auto listed = run_program({"/usr/bin/tar", "-tf", archive.string()});
  CHECK(listed.status == 0);
  CHECK(listed.output == name + "/a/b/one.txt\n" + name + "/empty\n" + name + "/zeros\n");
  CHECK(run_program({"/usr/bin/tar", "-xf", archive.string(), "-C", daemon.directory().string()}).status == 0);
  CHECK(text_of(daemon.directory() / name / "a/b/one.txt") == "one\n");
  CHECK(text_of(daemon.directory() / name / "zeros") == std::string(1'000'000, '\0'));
  CHECK(files.ask("?archive=zip").status == 400);

  daemon.post("/queue/pause");
  const auto waiting = daemon.submit_script("true");
  CHECK(daemon.get(path_of(waiting, "")) == json{{"artifacts", json::array()}, {"is_whole", true}});
}

TEST_CASE("the files of all parts of a job are there, each under its batch") {
  daemon_process daemon(R"(
[job_types.warm]
runner = "worker"
command = ["/usr/bin/python3", ")" FERRY_SCRIPTED_WORKER R"("]
warm_key = ["load"]
grace = "20s"
[job_types.warm.batch]
items = "items"
max_items = 2
)",
                        1);
  daemon.start();
  const auto gate = (daemon.directory() / "gate").string();
  const std::int64_t id = daemon.post(
      "/jobs",
      {{"type", "warm"},
       {"params", {{"do", "items"}, {"items", {"a", "b", gate}}, {"diary", (daemon.directory() / "diary").string()}}}})["id"];
  eventually([&] { return daemon.get("/jobs/" + std::to_string(id))["items"]["done"] == 2; });
  const json running = daemon.get(path_of(id, ""));
  REQUIRE(running["artifacts"].size() == 1);
  const auto first = running["artifacts"][0]["batch"].get<std::int64_t>();
  CHECK(running["artifacts"][0]["path"] == std::to_string(first) + "/made.txt");
  std::ofstream(gate).flush();
  const json job = daemon.finished(id);
  REQUIRE(job["status"] == "completed");
  const auto last = job["batch"].dump();
  CHECK(paths(daemon.get(path_of(id, ""))) == std::vector<std::string>{std::to_string(first) + "/made.txt", last + "/made.txt"});
  const reader_of_files files{daemon, id};
  CHECK(files.ask("/" + last + "/made.txt").body == "None");
  CHECK(files.ask("/made.txt").status == 404);
  const auto archive = daemon.directory() / "all.tar";
  std::ofstream(archive, std::ios::binary) << files.ask("?archive=tar").body;
  const auto top = "job-" + std::to_string(id) + "/";
  CHECK(run_program({"/usr/bin/tar", "-tf", archive.string()}).output ==
        top + std::to_string(first) + "/made.txt\n" + top + last + "/made.txt\n");
}
