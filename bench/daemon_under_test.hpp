// A ferryd of the benchmark's own, on a fresh data directory on the disk that is measured.
#pragma once

#include "bench/http_connection.hpp"
#include "bench/processes.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace ferry::bench {

struct daemon_options {
  std::filesystem::path programs; // the folder of ferryd, ferry and bench-stamp
  std::filesystem::path folder;   // made anew; removed at the end
  int slots = 8;
  int shims_ready = 2;
};

class daemon_under_test {
public:
  explicit daemon_under_test(const daemon_options& options);
  ~daemon_under_test();

  // Milliseconds from the spawn until the first status is answered.
  double start();
  void stop() { process_->stop(); }
  void kill() { process_->stop(9); }

  [[nodiscard]] std::unique_ptr<http_connection> connect() const { return std::make_unique<http_connection>(socket()); }
  [[nodiscard]] nlohmann::json status() const;
  void pause() const { connect()->post("/api/v1/queue/pause"); }
  void unpause() const { connect()->post("/api/v1/queue/unpause"); }
  // Bulk submits of `true` until so many are queued. The queue must be paused.
  void fill_to(std::int64_t queued) const;
  // Blocks until nothing is queued or running.
  void wait_until_idle() const;

  // A command line of `ferry` for this daemon.
  [[nodiscard]] program ferry(std::vector<std::string> words) const;
  [[nodiscard]] std::filesystem::path stamp_program() const { return options_.programs / "bench-stamp"; }
  [[nodiscard]] std::filesystem::path folder() const { return options_.folder; }
  [[nodiscard]] std::filesystem::path socket() const { return options_.folder / "ferry.sock"; }
  [[nodiscard]] int slots() const { return options_.slots; }

  struct memory {
    double rss_mib = 0, pss_mib = 0; // of ferryd alone
  };
  [[nodiscard]] memory read_memory() const;

private:
  daemon_options options_;
  std::unique_ptr<service> process_;
};

// The body of a submit of one `command` job.
[[nodiscard]] std::string command_job(const std::vector<std::string>& argv);
// The body of a submit of `count` jobs that do nothing.
[[nodiscard]] std::string no_op_jobs(int count);

} // namespace ferry::bench
