// Which requests over TCP are let in.
#include "http/access.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::http;
namespace beast_http = boost::beast::http;

namespace {

struct gate {
  gate() { store.set_owner_token("secret"); }
  mutable token_store store = *token_store::open("/nonexistent/tokens.json", "ada");
  ferry::http::access guard{store, {"gpu.example.org"}};
};

request_head head_of(beast_http::verb method, std::initializer_list<std::pair<const char*, const char*>> fields) {
  request_head head;
  head.method(method);
  for (const auto& [name, value] : fields)
    head.insert(name, value);
  return head;
}

bool is_let_in(const gate& g, std::initializer_list<std::pair<const char*, const char*>> fields) {
  return g.guard.check_site(head_of(beast_http::verb::get, fields)).has_value();
}

std::optional<error_code> refusal(const gate& g, beast_http::verb method,
                                  std::initializer_list<std::pair<const char*, const char*>> fields) {
  const auto who = g.guard.identify(head_of(method, fields));
  return who ? std::nullopt : std::optional(who.error().code);
}

} // namespace

TEST_CASE("the daemon answers to loopback and to the names it was given, to nothing else") {
  const gate g;
  for (const char* host : {"localhost", "LOCALHOST:7878", "127.0.0.1", "127.0.0.1:7878", "127.3.2.1:1", "[::1]", "[::1]:7878",
                           "gpu.example.org", "GPU.example.org:80"})
    CHECK(is_let_in(g, {{"Host", host}}));
  for (const char* host : {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.5:7878", "0.0.0.0",
                           "[::2]", "[::1]evil", "localhost:x", "localhost:", "gpu.example.org.evil", "0x7f000001", "127.1"})
    CHECK_FALSE(is_let_in(g, {{"Host", host}}));
  CHECK_FALSE(is_let_in(g, {}));
  CHECK_FALSE(is_let_in(g, {{"Host", "localhost"}, {"Host", "evil.example"}}));
}

TEST_CASE("a page of another origin is refused, whatever it knows") {
  const gate g;
  CHECK(is_let_in(g, {{"Host", "localhost:7878"}, {"Origin", "http://localhost:7878"}}));
  CHECK(is_let_in(g, {{"Host", "gpu.example.org"}, {"Origin", "https://gpu.example.org"}})); // a proxy speaks TLS for it
  for (const char* origin : {"null", "http://evil.example", "http://localhost", "http://localhost:7879", "http://127.0.0.1:7878",
                             "http://localhost:7878.evil.example", "ftp://localhost:7878", ""})
    CHECK_FALSE(is_let_in(g, {{"Host", "localhost:7878"}, {"Origin", origin}}));
  CHECK_FALSE(is_let_in(g, {{"Host", "localhost"}, {"Origin", "http://localhost"}, {"Origin", "http://evil.example"}}));
}

TEST_CASE("a token is taken from the header, else from the cookie; a cookie changes nothing without an origin") {
  const gate g;
  using enum beast_http::verb;
  CHECK_FALSE(refusal(g, post, {{"Authorization", "Bearer secret"}}));
  CHECK_FALSE(refusal(g, get, {{"Cookie", "ferry_token=secret"}}));
  CHECK_FALSE(refusal(g, get, {{"Cookie", "a=b; ferry_token=secret; c=d"}}));
  CHECK_FALSE(refusal(g, post, {{"Cookie", "ferry_token=secret"}, {"Origin", "http://localhost"}}));
  for (const auto method : {post, patch, put, delete_})
    CHECK(refusal(g, method, {{"Cookie", "ferry_token=secret"}}) == error_code::forbidden);
  CHECK(refusal(g, get, {}) == error_code::unauthorized);
  CHECK(refusal(g, get, {{"Authorization", "Bearer "}}) == error_code::unauthorized);
  CHECK(refusal(g, get, {{"Authorization", "Bearer wrong"}, {"Cookie", "ferry_token=secret"}}) == error_code::unauthorized);
  CHECK(refusal(g, get, {{"Authorization", "Basic secret"}}) == error_code::unauthorized);
  CHECK(refusal(g, get, {{"Cookie", "xferry_token=secret"}}) == error_code::unauthorized);
  CHECK(refusal(g, get, {{"Cookie", "ferry_token=secre"}}) == error_code::unauthorized);
  CHECK(refusal(g, get, {{"Cookie", "ferry_token="}}) == error_code::unauthorized);
}

TEST_CASE("by TLS a page of its own has come by https, and its cookie goes nowhere else") {
  const gate g;
  const ferry::http::access tls(g.store, {"gpu.example.org", "10.1.2.3", "[fd00::5]"}, true);
  const auto is_let_in_by_tls = [&](std::initializer_list<std::pair<const char*, const char*>> fields) {
    return tls.check_site(head_of(beast_http::verb::get, fields)).has_value();
  };
  CHECK(is_let_in_by_tls({{"Host", "10.1.2.3:7878"}, {"Origin", "https://10.1.2.3:7878"}}));
  CHECK_FALSE(is_let_in_by_tls({{"Host", "10.1.2.3:7878"}, {"Origin", "http://10.1.2.3:7878"}}));
  for (const char* host : {"[FD00::5]", "[fd00:0:0::5]:7878", "[0:0:0:0:0:0:0:1]", "GPU.example.org"})
    CHECK(is_let_in_by_tls({{"Host", host}}));
  for (const char* host : {"10.1.2.4", "[fd00::6]", "[fd00::5", "fd00::5", "[]", "[10.1.2.3]", "[fd00::5]x"})
    CHECK_FALSE(is_let_in_by_tls({{"Host", host}}));
  CHECK(tls.cookie_rules() == "HttpOnly; SameSite=Strict; Path=/; Secure");
  CHECK(g.guard.cookie_rules() == "HttpOnly; SameSite=Strict; Path=/");
}
