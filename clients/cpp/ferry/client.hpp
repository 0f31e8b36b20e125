// ferry for C++ programs on this or another machine: submit, wait, cancel, follow, over CAF and mutual TLS.
//
//   auto queue = ferry::client::connect({.host = "head.example", .certificate = "cut.pem", .key = "cut.key", .authority =
//   "ca.pem"}); auto ids = (*queue)->submit({{.type = "upscale", .params = R"({"source": "/films/a.mp4"})"}}); auto end =
//   (*queue)->wait(ids->front(), std::chrono::hours(1));
//
// Calls may come from several threads at once. A connection that breaks is made again by the next call. Errors are values
// (model/error.hpp): those of the daemon as it gives them, and `unavailable` where it cannot be reached or did not answer in time.
#pragma once

#include "model/error.hpp"
#include "remote/values.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ferry {

using remote::job_change;
using remote::job_description;
using remote::job_status;
using remote::progress_event;

struct client_options {
  std::string host = "127.0.0.1"; // a name or an address
  std::uint16_t port = 7879;
  std::filesystem::path certificate, key, authority; // PEM files: `ferry certs issue NAME`
  std::chrono::milliseconds patience{10'000};        // for an answer, beyond what a call waits for by itself
};

// What was missed is lost for who follows: read the jobs that matter again.
struct events_missed {
  std::string why;
};
using followed_event = std::variant<job_change, progress_event, events_missed>;

// Goes on until it is destroyed, which waits for a callback that is under way (so not from within one).
class subscription {
public:
  struct implementation;
  explicit subscription(std::unique_ptr<implementation> impl);
  subscription(subscription&&) noexcept;
  subscription& operator=(subscription&&) noexcept;
  ~subscription();

private:
  std::unique_ptr<implementation> impl_;
};

class client {
public:
  // Errors: io (a file), unavailable (nobody there, or no certificate of the same authority), newer_version (another protocol).
  [[nodiscard]] static result<std::unique_ptr<client>> connect(client_options options);
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  [[nodiscard]] const std::string& daemon_version() const;

  // All of them or none; answered once they are on disk. Safe to say again with the same key: it makes no second jobs. Without a
  // key one is made up, so that a connection that breaks in the middle is no doubt either.
  [[nodiscard]] result<std::vector<std::int64_t>> submit(std::vector<job_description> jobs, std::string key = {});
  [[nodiscard]] result<job_status> read(std::int64_t id);
  // Until the job has ended, at most so long: then what it is by then.
  [[nodiscard]] result<job_status> wait(std::int64_t id, std::chrono::milliseconds at_most);
  // With `only_queued` what runs by now goes on, and the error is a conflict.
  [[nodiscard]] result<void> cancel(std::int64_t id, bool only_queued = false);

  // Calls back, one at a time on a thread of its own, with what happens from now on; of one job, or of all. Over a connection that
  // breaks it goes on where it was, and says events_missed where it cannot. The client must outlive it.
  [[nodiscard]] subscription follow(std::function<void(const followed_event&)> tell, std::optional<std::int64_t> only = {});

private:
  struct implementation;
  explicit client(std::unique_ptr<implementation> impl);
  friend struct subscription::implementation;
  std::unique_ptr<implementation> impl_;
};

[[nodiscard]] inline bool has_ended(const job_status& job) { return job.state != "queued" && job.state != "running"; }

} // namespace ferry
