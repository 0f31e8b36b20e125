// Uploads of inputs and of files of datasets.
#include "config/text.hpp"
#include "http/api.hpp"
#include "http/request_bodies.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <charconv>

namespace ferry::http {

namespace {

result<std::uint64_t> offset_from(const std::string& header) {
  std::uint64_t offset = 0;
  const char* end = header.data() + header.size();
  const auto [stop, failed] = std::from_chars(header.data(), end, offset);
  if (header.empty() || failed != std::errc{} || stop != end)
    return fail(error_code::invalid_argument,
                "the header Upload-Offset must say where the body begins, is '" + config::shortened(header) + "'");
  return offset;
}

json state_json(const upload_state& state) {
  json answer{{"offset", state.offset}, {"bytes", state.bytes}};
  if (state.placed) {
    answer["path"] = state.placed->path;
    answer["sha256"] = state.placed->sha256;
  }
  return answer;
}

// The error document, with the offset that is right: so a client need not ask for it.
response other_offset(std::uint64_t asked, const upload_state& state) {
  auto answer = error_response(
      {error_code::conflict,
       "the upload is at offset " + std::to_string(state.offset) + ", the request begins at " + std::to_string(asked),
       "go on from there",
       {}});
  auto document = json::parse(answer.body());
  document["offset"] = state.offset;
  answer.body() = document.dump() + "\n";
  return answer;
}

} // namespace

boost::asio::awaitable<void> api::expire_uploads() {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  for (;;) {
    uploads_->expire();
    timer.expires_after(std::chrono::hours{1});
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

api::reply api::begin_upload(const request& r) {
  const auto body = parse_object(r.body);
  if (!body)
    co_return fail(body.error());
  auto plan = upload_plan_from(*body);
  if (!plan)
    co_return fail(plan.error());
  std::string id;
  const auto begun = co_await uploads_->begin(std::move(*plan), r.who, id);
  if (!begun)
    co_return fail(begun.error());
  co_return json_response(201, {{"upload", id}, {"offset", begun->offset}});
}

api::reply api::continue_upload(const request& r) {
  if (!r.incoming)
    co_return fail(error_code::invalid_argument, "the body must have a Content-Length");
  const auto offset = offset_from(r.upload_offset);
  if (!offset)
    co_return fail(offset.error());
  const auto state = co_await uploads_->go_on(r.path[1], r.who, *offset, *r.incoming);
  if (!state)
    co_return fail(state.error());
  co_return state->is_at_other_offset ? other_offset(*offset, *state) : json_response(200, state_json(*state));
}

api::reply api::read_upload(const request& r) {
  if (auto known = check_query(r, {}); !known)
    co_return fail(known.error());
  const auto state = uploads_->look_at(r.path[1], r.who);
  if (!state)
    co_return fail(state.error());
  co_return json_response(200, state_json(*state));
}

api::reply api::remove_upload(const request& r) {
  if (auto removed = uploads_->remove(r.path[1], r.who); !removed)
    co_return fail(removed.error());
  co_return json_response(200, {{"upload", r.path[1]}, {"removed", true}});
}

} // namespace ferry::http
