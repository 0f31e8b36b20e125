#include "http/pages.hpp"

#include "http/probe.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

namespace ferry::http {
namespace beast_http = boost::beast::http;
namespace {

// Scripts and all else from the daemon itself; pictures and videos also from memory. Elements may have styles, which is how a bar
// gets its length.
constexpr const char* page_policy =
    "default-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' blob: data:; media-src 'self' blob: data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
constexpr const char* data_policy = "default-src 'none'; frame-ancestors 'none'";

const page_file* find_file(std::string_view path) {
  const auto files = page_files();
  const auto found = std::find_if(files.begin(), files.end(), [&](const page_file& one) { return one.path == path; });
  return found == files.end() ? nullptr : &*found;
}

// The page finds its way by the path itself: whatever does not look like a file is the page.
const page_file* file_for(std::string_view path) {
  if (const auto* exact = find_file(path))
    return exact;
  const auto last = path.substr(std::min(path.rfind('/'), path.size()));
  const bool is_of_the_page = last.find('.') == last.npos && path.find("/.") == path.npos;
  return is_of_the_page ? find_file("/index.html") : nullptr;
}

bool names(std::string_view list, std::string_view wanted) { // "a, b;q=1": whether b is in it
  for (std::size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find(',', at), list.size());
    auto one = list.substr(at, end - at);
    at = end + 1;
    one.remove_prefix(std::min(one.find_first_not_of(" \t"), one.size()));
    const auto stop = std::min(one.find_first_of("; \t"), one.size());
    const auto weight = one.find("q=");
    const bool is_refused = weight != one.npos && one.find_first_not_of("0.", weight + 2) == one.npos; // "q=0", "q=0.000"
    if (one.substr(0, stop) == wanted && !is_refused)
      return true;
  }
  return false;
}

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

response send(const page_file& file, const request_head& head) {
  response answer;
  const auto set = [&](beast_http::field field, std::string_view value) {
    answer.set(field, boost::beast::string_view(value.data(), value.size()));
  };
  set(beast_http::field::etag, file.etag);
  set(beast_http::field::cache_control, file.path.starts_with("/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
  set(beast_http::field::vary, "Accept-Encoding");
  set(beast_http::field::content_type, file.type);
  answer.set("Content-Security-Policy", page_policy);
  const auto known = view_of(head[beast_http::field::if_none_match]);
  if (known == "*" || names(known, file.etag) || names(known, "W/" + std::string(file.etag))) {
    answer.result(beast_http::status::not_modified);
    return answer;
  }
  answer.result(beast_http::status::ok);
  const bool zipped = !file.gzipped.empty() && names(view_of(head[beast_http::field::accept_encoding]), "gzip");
  if (zipped)
    set(beast_http::field::content_encoding, "gzip");
  answer.body() = zipped ? file.gzipped : file.bytes;
  return answer;
}

// The link of `ferry ui`: the token becomes a cookie and leaves the address, so that it is in no history and no screenshot.
response take_token(const boost::urls::url_view& target, const access& who, const std::string& token) {
  response answer;
  answer.set(beast_http::field::cache_control, "no-store");
  if (!who.is_token(token)) {
    answer.result(beast_http::status::unauthorized);
    answer.set(beast_http::field::content_type, "text/plain; charset=utf-8");
    answer.body() = "This link is not valid (any more). `ferry ui` on the machine of the daemon makes another one.\n";
    return answer;
  }
  boost::urls::url clean(target);
  clean.params().erase("token");
  if (clean.params().empty())
    clean.remove_query();
  std::string location(clean.buffer().data(), clean.buffer().size());
  location.erase(0, std::min(location.find_first_not_of('/'), location.size())); // "//host" would be another host
  answer.result(beast_http::status::see_other);
  answer.set(beast_http::field::location, "/" + location);
  answer.set(beast_http::field::set_cookie, std::string(token_cookie) + "=" + token + "; " + who.cookie_rules());
  return answer;
}

} // namespace

bool is_page_target(std::string_view target) {
  if (probe_of(target) == probe::figures) // data, not the page's: it needs a token
    return false;
  return target.starts_with('/') && !(target.starts_with("/api") && (target.size() == 4 || target[4] == '/' || target[4] == '?'));
}

result<response> answer_page(const request_head& head, const access* who) {
  if (head.method() != beast_http::verb::get && head.method() != beast_http::verb::head)
    return method_refusal(head.method_string(), "GET, HEAD");
  const auto target = boost::urls::parse_origin_form({head.target().data(), head.target().size()});
  if (!target)
    return fail(error_code::invalid_argument, "the request target is not a valid path");
  if (const auto found = target->params().find("token"); who && found != target->params().end())
    return take_token(*target, *who, std::string((*found).value));
  const std::string path(target->encoded_path().data(), target->encoded_path().size());
  if (const auto* file = file_for(path == "/" ? "/index.html" : path))
    return send(*file, head);
  return fail(error_code::not_found, "there is no such path", "the API begins with /api/v1: see docs/api.md");
}

void add_security_headers(response& answer) {
  const auto set_once = [&](const char* name, const char* value) {
    if (answer.find(name) == answer.end())
      answer.set(name, value);
  };
  set_once("Content-Security-Policy", data_policy);
  set_once("X-Content-Type-Options", "nosniff");
  set_once("X-Frame-Options", "DENY");
  set_once("Referrer-Policy", "no-referrer");
  set_once("Cross-Origin-Resource-Policy", "same-origin");
  set_once("Cache-Control", "no-store");
}

} // namespace ferry::http
