// Any bytes as a request: parsed as a connection does it, let in or not, and read as far as no actor is asked.
#include "config/limits.hpp"
#include "http/access.hpp"
#include "http/byte_range.hpp"
#include "http/event_id.hpp"
#include "http/folder_access.hpp"
#include "http/pages.hpp"
#include "http/probe.hpp"
#include "http/request_reading.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>

using namespace ferry;
using namespace ferry::http;
namespace beast_http = boost::beast::http;

namespace ferry::http {

// A page of two files, instead of the one that is built in.
std::span<const page_file> page_files() {
  static const page_file all[] = {{"/assets/app.js", "text/javascript", "W/\"1\"", "alert()", "zipped"},
                                  {"/index.html", "text/html", "W/\"2\"", "<html>", {}}};
  return all;
}

} // namespace ferry::http

namespace {

using parser_type = beast_http::request_parser<beast_http::string_body>;

struct gate {
  gate() { tokens.set_owner_token("0123456789abcdef0123456789abcdef"); }
  token_store tokens = *token_store::open("/nonexistent/tokens.json", "ada");
  ferry::http::access plain{tokens, {"gpu.example.org", "[fd00::5]"}}, tls{tokens, {"gpu.example.org"}, true};
};

const gate& one_gate() {
  static const gate made;
  return made;
}

void look_at_head(const request_head& head) {
  const auto target = head.target();
  (void)probe_of({target.data(), target.size()});
  for (const auto* who : {&one_gate().plain, &one_gate().tls}) {
    (void)who->check_site(head);
    (void)who->identify(head);
  }
  for (const auto* who : {static_cast<const ferry::http::access*>(nullptr), &one_gate().plain})
    if (is_page_target({target.data(), target.size()}))
      if (auto page = answer_page(head, who)) {
        add_security_headers(*page);
        const auto location = (*page)[beast_http::field::location];
        // A place on this very host: one slash, not two, and nothing that ends the header.
        must(location.empty() || (location.starts_with('/') && !location.starts_with("//") && !location.starts_with("/\\")));
        must(location.find_first_of(boost::beast::string_view("\r\n\0", 3)) == location.npos);
      }
}

void look_at_request(message& whole) {
  const auto r = request_from(whole);
  if (!r)
    return;
  for (const auto& segment : r->path) {
    (void)job_id_from(segment);
    if (check_file_name(segment, "name"))
      must(segment != ".." && segment.find('/') == std::string::npos && segment.find('\0') == std::string::npos);
    if (const auto parts = split_path(segment, "path"))
      for (const auto& part : *parts)
        must(!part.empty() && part != ".." && part != "." && part.find('\0') == std::string::npos);
  }
  (void)check_query(*r, {"limit", "offset", "name"});
  (void)query_number(*r, "limit", 50, 1, 1'000);
  (void)check_no_body(*r);
  if (const auto id = event_id_from(r->last_event_id))
    must(event_id_from(to_text(*id)).has_value());
  (void)names_etag(r->if_none_match, "\"a-1\"");
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}, UINT64_MAX})
    if (const auto wanted = bytes_wanted(r->range, bytes); const auto* part = std::get_if<byte_range>(&wanted))
      must(part->count > 0 && part->first < bytes && part->count <= bytes - part->first);
  if (const auto body = parse_object(r->body))
    (void)json_response(200, *body);
}

} // namespace

void ferry::fuzz(std::string_view bytes) {
  parser_type parser;
  parser.header_limit(limits::request_header_bytes_max);
  parser.body_limit(limits::request_body_bytes_max);
  boost::system::error_code failed;
  bool has_head = false;
  while (!bytes.empty() && !parser.is_done()) {
    const auto taken = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), failed);
    bytes.remove_prefix(taken);
    if (parser.is_header_done() && !has_head) {
      has_head = true;
      look_at_head(parser.get().base());
      (void)is_streamed(parser.get());
      parser.eager(true);
    } else if (failed || taken == 0)
      break;
  }
  if (has_head && parser.is_done())
    look_at_request(parser.get());
}
