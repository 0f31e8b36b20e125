#include "http/request_reading.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace ferry::http {
namespace beast_http = boost::beast::http;
namespace {

constexpr std::string_view prefix = "/api/v1";

} // namespace

bool is_streamed(const message& asked) {
  const auto target = asked.target();
  return asked.method() == beast_http::verb::patch &&
         std::string_view(target.data(), target.size()).starts_with("/api/v1/uploads/") && !asked.chunked();
}

result<request> request_from(message& from) {
  request r{.method = from.method(),
            .path = {},
            .query = {},
            .body = {},
            .idempotency_key = {},
            .last_event_id = {},
            .keep_alive = from.keep_alive()};
  const auto target = boost::urls::parse_origin_form({from.target().data(), from.target().size()});
  if (!target)
    return fail(error_code::invalid_argument, "the request target is not a valid path");
  const std::string path(target->encoded_path().data(), target->encoded_path().size());
  if (!path.starts_with(prefix) || (path.size() > prefix.size() && path[prefix.size()] != '/'))
    return fail(error_code::not_found, "there is no such path: all begin with /api/v1", "see docs/api.md");
  std::size_t skipped = 0;
  for (const auto& segment : target->segments())
    if (++skipped > 2)
      r.path.emplace_back(segment);
  for (const auto& parameter : target->params())
    r.query.insert_or_assign(std::string(parameter.key), std::string(parameter.value));
  r.idempotency_key = std::string(from["Idempotency-Key"]);
  r.last_event_id = std::string(from["Last-Event-ID"]);
  r.range = std::string(from[beast_http::field::range]);
  r.if_range = std::string(from[beast_http::field::if_range]);
  r.if_none_match = std::string(from[beast_http::field::if_none_match]);
  r.upload_offset = std::string(from["Upload-Offset"]);
  r.body = std::move(from.body());
  return r;
}

} // namespace ferry::http
