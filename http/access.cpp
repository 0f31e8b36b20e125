#include "http/access.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

namespace ferry::http {
namespace beast_http = boost::beast::http;
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

// IPv6, however it is written; `further` has it as inet_ntop writes it.
bool is_own_address(const std::string& text, const std::vector<std::string>& further) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> written{};
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1 || !inet_ntop(AF_INET6, &address, written.data(), written.size()))
    return false;
  return IN6_IS_ADDR_LOOPBACK(&address) ||
         std::find(further.begin(), further.end(), "[" + std::string(written.data()) + "]") != further.end();
}

bool changes_nothing(beast_http::verb method) { return method == beast_http::verb::get || method == beast_http::verb::head; }

} // namespace

bool is_own_host(std::string_view host, const std::vector<std::string>& further) {
  const auto name = lower(host);
  const auto is_port = [](std::string_view text) {
    return text.empty() || (text.size() > 1 && text.front() == ':' && text.find_first_not_of("0123456789", 1) == text.npos);
  };
  if (const auto bracket = name.find(']'); name.starts_with('[') && bracket != name.npos)
    return is_port(std::string_view(name).substr(bracket + 1)) && is_own_address(name.substr(1, bracket - 1), further);
  const auto colon = std::min(name.find(':'), name.size());
  const auto bare = name.substr(0, colon);
  if (!is_port(std::string_view(name).substr(colon)))
    return false;
  in_addr address{};
  if (inet_pton(AF_INET, bare.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24U) == 127)
    return true;
  return bare == "localhost" || std::find(further.begin(), further.end(), bare) != further.end();
}

std::string_view cookie_of(const request_head& head, std::string_view name) {
  for (const auto& field : head) {
    if (field.name() != beast_http::field::cookie)
      continue;
    for (std::string_view rest = view_of(field.value()); !rest.empty();) {
      const auto end = std::min(rest.find(';'), rest.size());
      auto pair = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
        return pair.substr(name.size() + 1);
    }
  }
  return {};
}

result<void> access::check_site(const request_head& head) const {
  const auto host = view_of(head[beast_http::field::host]);
  if (head.count(beast_http::field::host) != 1 || !is_own_host(host, hosts_))
    return fail(error_code::forbidden, "this daemon does not answer to the host '" + config::shortened(host) + "'",
                "use localhost or a loopback address, or add the name to http.tcp.hosts");
  if (head.count(beast_http::field::origin) == 0)
    return {};
  const auto origin = lower(view_of(head[beast_http::field::origin])), own = lower(host);
  const bool is_own =
      origin == "https://" + own || (!is_tls_ && origin == "http://" + own); // a proxy may add TLS, and not take it off
  if (head.count(beast_http::field::origin) > 1 || !is_own)
    return fail(error_code::forbidden, "pages of '" + config::shortened(origin) + "' may not use this daemon");
  return {};
}

std::string access::cookie_rules() const { return std::string("HttpOnly; SameSite=Strict; Path=/") + (is_tls_ ? "; Secure" : ""); }

result<caller> access::identify(const request_head& head) const {
  constexpr std::string_view scheme = "Bearer ";
  const auto stated = view_of(head[beast_http::field::authorization]);
  const bool has_header = head.count(beast_http::field::authorization) > 0;
  std::string_view token;
  if (!has_header)
    token = cookie_of(head, token_cookie);
  else if (stated.starts_with(scheme))
    token = stated.substr(scheme.size());
  const auto who = token.empty() ? std::nullopt : tokens_.find(token);
  if (!who)
    return fail(error_code::unauthorized, token.empty() ? "this address asks for a token" : "the token is not known",
                "`ferry ui` opens the page with one; programs send `Authorization: Bearer <token>`");
  if (!has_header && !changes_nothing(head.method()) && head.count(beast_http::field::origin) == 0)
    return fail(error_code::forbidden, "a request by cookie that changes something must name its origin",
                "programs send `Authorization: Bearer <token>` instead");
  return *who;
}

} // namespace ferry::http
