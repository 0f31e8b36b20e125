#include "cli/client.hpp"

#include "config/limits.hpp"
#include "model/job.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace ferry::cli {
namespace http = boost::beast::http;

namespace {

constexpr std::chrono::seconds answer_within{30};
constexpr std::uint64_t answer_bytes_max = 512ULL * 1024 * 1024;
constexpr std::size_t read_bytes = 64 * 1024;

using steady = std::chrono::steady_clock;

constexpr std::array all_codes{error_code::invalid_argument, error_code::not_found,    error_code::conflict,
                               error_code::too_large,        error_code::unauthorized, error_code::disk_full,
                               error_code::unavailable,      error_code::damaged,      error_code::locked,
                               error_code::newer_version,    error_code::io,           error_code::internal,
                               error_code::out_of_memory,    error_code::forbidden};

constexpr std::size_t sent_with_head_max = 64 * 1024; // of a body; a longer one is not copied

std::string head_of(const request& what) {
  std::string text = what.method + " /api/v1" + what.path + " HTTP/1.1\r\nHost: ferry\r\nAccept: */*\r\n";
  if (!what.idempotency_key.empty())
    text += "Idempotency-Key: " + what.idempotency_key + "\r\n";
  for (const auto& [name, value] : what.headers)
    text.append(name).append(": ").append(value).append("\r\n");
  if (!what.body.empty() && what.headers.empty())
    text += "Content-Type: application/json\r\n";
  if (what.method != "GET" && what.method != "HEAD")
    text += "Content-Length: " + std::to_string(what.body.size()) + "\r\n";
  return text + "\r\n";
}

bool send_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool send_whole(int descriptor, const request& what) {
  if (what.body.size() <= sent_with_head_max)
    return send_all(descriptor, head_of(what) + what.body);
  return send_all(descriptor, head_of(what)) && send_all(descriptor, what.body);
}

bool is_good(int status) { return status >= 200 && status < 300; }

void set_timeout(int descriptor, int option, std::chrono::seconds limit) {
  const timeval value{.tv_sec = limit.count(), .tv_usec = 0};
  ::setsockopt(descriptor, SOL_SOCKET, option, &value, sizeof value);
}

template <class Message>
std::int64_t number_field(const Message& message, const char* name) {
  const auto text = message[name];
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string text_or(const json& object, const char* key, std::string otherwise = {}) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

response head_from(const auto& message) {
  response head;
  head.status = static_cast<int>(message.result_int());
  head.etag = std::string(message["ETag"]);
  head.length = message["Content-Length"].empty() ? -1 : number_field(message, "Content-Length");
  if (auto range = message["Content-Range"]; range.starts_with("bytes ")) {
    range.remove_prefix(6);
    std::from_chars(range.data(), range.data() + range.size(), head.range_from);
  }
  head.log_offset = number_field(message, "Ferry-Log-Offset");
  head.log_next = number_field(message, "Ferry-Log-Next");
  head.log_complete = message["Ferry-Log-Complete"] == "true";
  return head;
}

// A body for Beast's parser: kept, or handed on where somebody takes it and the answer is a good one.
struct taken_body {
  struct value_type {
    const request* what = nullptr;
    std::string kept;
    bool handed_on = false; // some of it
    std::optional<error> refused;
  };
  class reader {
  public:
    template <bool IsRequest, class Fields>
    reader(http::header<IsRequest, Fields>& head, value_type& value)
        : read_head_([&head] { return head_from(head); }), value_(value) {}
    void init(const boost::optional<std::uint64_t>&, boost::system::error_code& problem) {
      problem = {};
      head_ = read_head_();
    }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, boost::system::error_code& problem) {
      problem = {};
      std::size_t size = 0;
      for (auto at = boost::asio::buffer_sequence_begin(buffers); at != boost::asio::buffer_sequence_end(buffers); ++at) {
        const boost::asio::const_buffer one = *at;
        take({static_cast<const char*>(one.data()), one.size()}, problem);
        size += one.size();
      }
      return size;
    }
    void finish(boost::system::error_code& problem) { problem = {}; }

  private:
    void take(std::string_view piece, boost::system::error_code& problem) {
      if (!value_.what->take || !is_good(head_.status)) {
        value_.kept += piece;
      } else if (auto taken = value_.what->take(head_, piece); !taken) {
        value_.refused = std::move(taken.error());
        problem = boost::system::errc::make_error_code(boost::system::errc::operation_canceled);
      } else {
        value_.handed_on = true;
      }
    }

    std::function<response()> read_head_;
    value_type& value_;
    response head_;
  };
};

} // namespace

result<void> client::connect() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = socket_.string();
  if (path.size() >= sizeof address.sun_path)
    return fail(error_code::invalid_argument, "the socket's path is " + std::to_string(path.size()) + " bytes long, the most is " +
                                                  std::to_string(sizeof address.sun_path - 1) + ": " + path);
  std::ranges::copy(path, address.sun_path);
  descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0)
    return fail(error_code::io, std::string("no socket could be made: ") + std::strerror(errno));
  set_timeout(descriptor_, SO_SNDTIMEO, answer_within); // covers connect() too
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    met_ = true;
    return {};
  }
  const int reason = errno;
  absent_ = reason == ENOENT || reason == ECONNREFUSED;
  disconnect();
  if (reason == EACCES || reason == EPERM)
    return fail(error_code::unauthorized, "the daemon's socket " + path + " belongs to another user",
                "run ferry as its owner, or set FERRY_SOCKET to your own daemon's");
  if (reason == EAGAIN || reason == EINPROGRESS)
    return fail(error_code::unavailable, "the daemon at " + path + " takes no connections: it has too many waiting");
  return tl::unexpected(no_daemon(absent_ ? "" : std::strerror(reason)));
}

void client::disconnect() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
  descriptor_ = -1;
}

error client::no_daemon(const std::string& why) const {
  return {error_code::unavailable,
          "no ferry daemon listens at " + socket_.string() + (why.empty() ? "" : ": " + why),
          "`ferry up` starts one",
          {}};
}

void client::drop_if_closed() {
  char next = 0;
  if (descriptor_ >= 0 && ::recv(descriptor_, &next, 1, MSG_PEEK | MSG_DONTWAIT) != -1)
    disconnect(); // at its end, or holding bytes that nobody asked for
}

tl::expected<response, client::setback> client::receive(const request& what) {
  http::response_parser<taken_body> parser;
  taken_body::value_type& body = parser.get().body();
  body.what = &what;
  const auto lost = [&](const std::string& how, bool passing = true) {
    disconnect();
    return tl::unexpected(setback{{error_code::unavailable, "the daemon at " + socket_.string() + " " + how, "", {}},
                                  passing && !body.handed_on}); // what was handed on must not come twice
  };
  if (what.take)
    parser.body_limit(boost::none);
  else
    parser.body_limit(answer_bytes_max);
  parser.eager(true);
  parser.skip(what.method == "HEAD");
  boost::beast::flat_buffer buffer;
  while (!parser.is_done()) {
    const auto space = buffer.prepare(read_bytes);
    const ssize_t got = ::recv(descriptor_, space.data(), space.size(), 0);
    boost::system::error_code problem;
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0 && errno == EAGAIN)
      return lost("does not answer", false);
    if (got < 0)
      return lost(std::string("went away before it answered: ") + std::strerror(errno));
    if (got == 0) {
      if (parser.got_some()) // put_eof() must not be called before
        parser.put_eof(problem);
      if (problem || !parser.is_done())
        return lost("went away before it answered");
      break;
    }
    buffer.commit(static_cast<std::size_t>(got));
    while (buffer.size() > 0 && !parser.is_done() && !problem)
      buffer.consume(parser.put(buffer.data(), problem));
    if (body.refused) {
      disconnect();
      return tl::unexpected(setback{std::move(*body.refused), false});
    }
    if (problem && problem != http::error::need_more)
      return lost("does not speak HTTP (" + problem.message() + ")", false);
  }
  if (!parser.get().keep_alive())
    disconnect();
  response answer = head_from(parser.get());
  answer.body = std::move(body.kept);
  return answer;
}

tl::expected<response, client::setback> client::try_once(const request& what) {
  drop_if_closed();
  if (descriptor_ < 0)
    if (auto connected = connect(); !connected)
      return tl::unexpected(setback{connected.error(), connected.error().code == error_code::unavailable});
  set_timeout(descriptor_, SO_RCVTIMEO, answer_within + what.wait);
  // A daemon that refuses a body closes while we still write; its answer may be there all the same.
  const bool sent = send_whole(descriptor_, what);
  auto got = receive(what);
  if (!sent)
    disconnect();
  if (!got || is_good(got->status))
    return got;
  return tl::unexpected(setback{error_from(got->status, got->body), got->status == 503});
}

result<response> client::send(const request& what) {
  const auto give_up_at = steady::now() + patience_;
  for (auto pause = std::chrono::milliseconds(20);; pause = std::min(pause * 2, std::chrono::milliseconds(500))) {
    auto answer = try_once(what);
    if (answer)
      return std::move(*answer);
    setback& met = answer.error();
    if (!met.passing || !met_ || !what.repeatable() || steady::now() + pause > give_up_at)
      return tl::unexpected(std::move(met.why));
    std::this_thread::sleep_for(pause);
  }
}

result<std::optional<int>> client::process() {
  if (descriptor_ < 0)
    if (auto connected = connect(); !connected)
      return absent_ ? result<std::optional<int>>(std::nullopt) : fail(connected.error());
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return fail(error_code::io, std::string("the socket does not say who listens: ") + std::strerror(errno));
  if (peer.pid <= 0)
    return fail(error_code::unavailable, "the daemon at " + socket_.string() + " runs in another container", "stop it there");
  return peer.pid;
}

int exit_status_of(error_code code) {
  switch (code) {
  case error_code::invalid_argument:
  case error_code::too_large: return 2;
  case error_code::unavailable: return 3;
  case error_code::unauthorized:
  case error_code::forbidden: return 4;
  case error_code::not_found: return 5;
  case error_code::conflict: return 6;
  case error_code::internal:
  case error_code::io:
  case error_code::damaged:
  case error_code::locked:
  case error_code::newer_version:
  case error_code::out_of_memory:
  case error_code::disk_full: return 7;
  }
  return 7;
}

error error_from(int http_status, const std::string& body) {
  error e{error_code::internal, "the daemon answered with HTTP status " + std::to_string(http_status) + " and no reason", {}, {}};
  const json document = json::parse(body, nullptr, false);
  if (!document.is_object() || !document.contains("error") || !document["error"].is_object())
    return e;
  const json& stated = document["error"];
  const std::string code = text_or(stated, "code");
  const auto known = std::ranges::find_if(all_codes, [&](error_code c) { return to_string(c) == code; });
  e.code = known == all_codes.end() ? error_code::internal : *known;
  e.what = text_or(stated, "message", e.what);
  e.hint = text_or(stated, "hint");
  if (const auto problems = stated.find("problems"); problems != stated.end() && problems->is_array())
    for (const json& p : *problems)
      if (p.is_object())
        e.problems.push_back({text_or(p, "where"), text_or(p, "what"), text_or(p, "hint")});
  return e;
}

std::string error_document(const error& e) {
  json problems = json::array();
  for (const problem& p : e.problems)
    problems.push_back({{"where", p.where}, {"what", p.what}, {"hint", p.hint}});
  const json document = {
      {"error", {{"code", to_string(e.code)}, {"message", e.what}, {"hint", e.hint}, {"problems", std::move(problems)}}}};
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string query_escape(const std::string& text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.' ||
        c == '~' || c == ',') {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    }
  }
  return out;
}

} // namespace ferry::cli
