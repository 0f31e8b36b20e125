// What is asked of each request that comes over TCP: that it was sent to this daemon by name, by no page of another site, and by
// somebody with a token. A browser sends cookies with whatever any page makes it send, so a cookie alone changes nothing: a request
// by cookie has to say that it comes from the daemon's own page.
#pragma once

#include "http/token_store.hpp"

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::http {

using request_head = boost::beast::http::header<true, boost::beast::http::fields>;

inline constexpr std::string_view token_cookie = "ferry_token";

// `host` as in the header of that name, perhaps with a port: is it a loopback address, localhost, or one of `further`?
[[nodiscard]] bool is_own_host(std::string_view host, const std::vector<std::string>& further);
// The value of a cookie; empty: it is not there.
[[nodiscard]] std::string_view cookie_of(const request_head& head, std::string_view name);

class access {
public:
  // `is_tls`: it is served by TLS, so a page of its own has come by https.
  access(token_store& tokens, std::vector<std::string> hosts, bool is_tls = false)
      : tokens_(tokens), hosts_(std::move(hosts)), is_tls_(is_tls) {}

  // Errors: forbidden (another host, another origin).
  [[nodiscard]] result<void> check_site(const request_head& head) const;
  // Who it is. Errors: unauthorized; forbidden (a change by cookie without an origin).
  [[nodiscard]] result<caller> identify(const request_head& head) const;
  // Behind "Set-Cookie: <name>=<value>; ": how long a browser keeps it, and to whom it sends it.
  [[nodiscard]] std::string cookie_rules() const;
  [[nodiscard]] bool is_token(std::string_view token) const { return tokens_.find(token).has_value(); }

private:
  token_store& tokens_;
  std::vector<std::string> hosts_; // in lower case
  bool is_tls_;
};

} // namespace ferry::http
