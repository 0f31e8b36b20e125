// Uploads of inputs and of files of datasets.
#include "config/text.hpp"
#include "http/api.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <charconv>

namespace ferry::http {

namespace {

constexpr std::size_t sha256_digits = 64;

// As it is told, in lower case; empty where it is not.
result<std::string> sha256_member(const json& body) {
  auto told = string_member(body, "sha256");
  if (!told || !*told)
    return told ? result<std::string>(std::string()) : fail(told.error());
  std::string digest = **told;
  std::transform(digest.begin(), digest.end(), digest.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (digest.size() != sha256_digits || digest.find_first_not_of("0123456789abcdef") != std::string::npos)
    return fail(error_code::invalid_argument, "sha256 must have 64 hexadecimal digits, is '" + config::shortened(**told) + "'");
  return digest;
}

result<void> read_place(const json& body, upload_plan& plan) {
  const auto dataset = string_member(body, "dataset");
  const auto path = string_member(body, "path");
  if (!dataset || !path)
    return fail(dataset ? path.error() : dataset.error());
  if (!*dataset)
    return *path ? fail(error_code::invalid_argument, "path goes with dataset: an input has a name alone") : result<void>();
  if (auto valid = check_file_name(**dataset, "dataset"); !valid)
    return valid;
  auto parts = split_path(path->value_or(plan.name), "path");
  if (!parts)
    return fail(parts.error());
  plan.dataset = **dataset;
  plan.path = std::move(*parts);
  return {};
}

result<upload_plan> plan_from(const json& body) {
  if (auto known = check_keys(body, {"name", "bytes", "sha256", "dataset", "path"}); !known)
    return fail(known.error());
  const auto name = string_member(body, "name");
  const auto bytes = integer_member(body, "bytes");
  auto digest = sha256_member(body);
  if (!name || !bytes || !digest)
    return fail(!name ? name.error() : !bytes ? bytes.error() : digest.error());
  if (!*name || !*bytes)
    return fail(error_code::invalid_argument, *name ? "bytes is missing: the size of the file" : "name is missing");
  if (**bytes < 0)
    return fail(error_code::invalid_argument, "bytes must be at least 0, is " + std::to_string(**bytes));
  if (auto valid = check_file_name(**name, "name"); !valid)
    return fail(valid.error());
  upload_plan plan{
      .name = **name, .bytes = static_cast<std::uint64_t>(**bytes), .sha256 = std::move(*digest), .dataset = {}, .path = {}};
  if (auto read = read_place(body, plan); !read)
    return fail(read.error());
  return plan;
}

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
  auto plan = plan_from(*body);
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
