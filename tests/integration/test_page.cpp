// The page that is built into the daemon.
#include "tests/integration/daemon_process.hpp"
#include "tests/integration/raw_http.hpp"

using namespace ferry;
using namespace ferry::tests;

namespace {

int port_of(daemon_process& daemon) {
  const auto address = daemon.get("/status")["http"]["address"].get<std::string>();
  return std::stoi(address.substr(address.find(':') + 1));
}

} // namespace

TEST_CASE("the page needs no token, and its paths are its own") {
  daemon_process daemon({}, 1, "[http.tcp]\nlisten = \"127.0.0.1:0\"\n");
  daemon.start();
  raw_connection browser(port_of(daemon));
  const auto page = browser.ask("GET", "/");
  CHECK(page.status == 200);
  CHECK(page.header("Content-Type") == "text/html; charset=utf-8");
  CHECK(page.body.starts_with("<!"));
  CHECK(page.header("Cache-Control") == "no-cache");
  const auto policy = page.header("Content-Security-Policy");
  CHECK(policy.starts_with("default-src 'self'"));
  CHECK(policy.find("frame-ancestors 'none'") != std::string::npos);
  CHECK(policy.find("script-src") == std::string::npos); // as by default: nothing inline
  for (const char* path : {"/queue", "/jobs/42", "/submit/upscale", "/analytics?range=7d"}) {
    const auto same = browser.ask("GET", path);
    CHECK(same.status == 200);
    CHECK(same.body == page.body);
  }
  const auto head = browser.ask("HEAD", "/"); // and the connection is good for the next one
  CHECK(head.status == 200);
  CHECK(head.header("Content-Length") == std::to_string(page.body.size()));
  CHECK(browser.ask("GET", "/assets/none.js").status == 404);
  CHECK(browser.ask("GET", "/../../etc/passwd").status == 404);
  CHECK(browser.ask("GET", "/%2e%2e/%2e%2e/etc/passwd.txt").status == 404);
  CHECK(browser.ask("POST", "/").status == 405);
  CHECK(browser.ask("GET", "/", {"Host: evil.example"}).status == 403);
  CHECK(raw_connection(port_of(daemon)).ask("GET", "/api/v2/status").status == 401);
}

TEST_CASE("what a browser has is not sent again, and what it can unpack is sent packed") {
  daemon_process daemon;
  daemon.start();
  raw_connection browser(daemon.socket());
  const auto page = browser.ask("GET", "/");
  const auto tag = page.header("ETag");
  REQUIRE_FALSE(tag.empty());
  for (const auto& known : {tag, "\"other\", " + tag, std::string("*")}) {
    const auto same = browser.ask("GET", "/", {"If-None-Match: " + known});
    CHECK(same.status == 304);
    CHECK(same.body.empty());
    CHECK(same.header("ETag") == tag);
  }
  CHECK(browser.ask("GET", "/", {"If-None-Match: \"other\""}).status == 200);
  const auto packed = browser.ask("GET", "/", {"Accept-Encoding: br, gzip;q=0.8"});
  CHECK(packed.header("Content-Encoding") == "gzip");
  CHECK(packed.header("Vary") == "Accept-Encoding");
  CHECK(packed.body.starts_with("\x1f\x8b"));
  CHECK(packed.body.size() < page.body.size());
  CHECK(browser.ask("GET", "/", {"Accept-Encoding: gzip;q=0"}).header("Content-Encoding").empty());
}

TEST_CASE("a link with a token becomes a cookie, whatever the page; a wrong one says where to get another") {
  daemon_process daemon({}, 1, "[http.tcp]\nlisten = \"127.0.0.1:0\"\n");
  daemon.start();
  raw_connection browser(port_of(daemon));
  const auto made = json::parse(raw_connection(daemon.socket())
                                    .ask("POST", "/api/v1/tokens", {}, json{{"name", "ada"}, {"role", "read"}}.dump())
                                    .body)["token"]
                        .get<std::string>();
  const auto to_job = browser.ask("GET", "/jobs/42?token=" + made + "&tab=log");
  CHECK(to_job.status == 303);
  CHECK(to_job.header("Location") == "/jobs/42?tab=log");
  CHECK(to_job.header("Cache-Control") == "no-store");
  const auto away = browser.ask("GET", "//evil.example/?token=" + made);
  CHECK((away.status != 303 || !away.header("Location").starts_with("//")));
  const auto cookie = to_job.header("Set-Cookie");
  const auto session = browser.ask("GET", "/api/v1/session", {"Cookie: " + cookie.substr(0, cookie.find(';'))});
  CHECK(json::parse(session.body)["user"] == "ada");
  const auto wrong = browser.ask("GET", "/?token=" + std::string(64, '0'));
  CHECK(wrong.status == 401);
  CHECK(wrong.header("Set-Cookie").empty());
  CHECK(wrong.body.find("ferry ui") != std::string::npos);
}
