// A real ferryd in a directory of its own, and a client to talk to it.
#pragma once

#include "cli/client.hpp"
#include "model/job.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace ferry::tests {

// A directory that goes when it goes.
class scratch_directory {
public:
  scratch_directory();
  ~scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

// How a program ended and what it printed (both streams).
struct program_end {
  int status = -1; // 128 + signal when a signal ended it
  std::string output;
};
[[nodiscard]] program_end run_program(const std::vector<std::string>& argv, const std::vector<std::string>& environment = {});

// Spawns with both output streams appended to `output`; its pid.
[[nodiscard]] int spawn(const std::vector<std::string>& argv, const std::filesystem::path& output,
                        const std::vector<std::string>& environment);
// Waits for its end; its status, as above.
int wait_for(int pid);
// Those whose environment names a run directory below `data`.
[[nodiscard]] std::vector<int> processes_of(const std::filesystem::path& data);
// Ends whatever a test left running of these.
void end_jobs(const std::filesystem::path& data);

class daemon_process {
public:
  // `types` is TOML that is added to the configuration; `slots` of the CPU device; `http` and `storage` are lines of these tables;
  // `nvml` is a library to find GPUs by, none are looked for without.
  explicit daemon_process(std::string types = {}, int slots = 2, std::string http = {}, std::string storage = {},
                          const std::string& nvml = {});
  ~daemon_process(); // kills what still runs, jobs included

  // What the program is started by, such as "ip netns exec NAME".
  void run_under(std::vector<std::string> words) { under_ = std::move(words); }

  void start(); // returns once it answers
  void kill();  // SIGKILL, and waits for its end
  int stop();   // SIGTERM; its exit status
  void crash_and_start() { kill(), start(); }
  // Starts it and expects it to refuse: the end of the process.
  [[nodiscard]] program_end start_refused() const;

  [[nodiscard]] const std::filesystem::path& directory() const { return scratch_.path(); }
  [[nodiscard]] std::filesystem::path data() const { return scratch_.path() / "data"; }
  [[nodiscard]] std::filesystem::path socket() const { return scratch_.path() / "ferry.sock"; }
  [[nodiscard]] std::filesystem::path config() const { return scratch_.path() / "ferry.toml"; }
  [[nodiscard]] std::unique_ptr<cli::client> connect() const;

  // Requests that must succeed, and one that must fail.
  json get(const std::string& path);
  json post(const std::string& path, const json& body = json::object());
  json patch(const std::string& path, const json& body);
  error refused(const std::string& method, const std::string& path, const std::string& body = {});

  // Submits `sh -c script`; the id.
  std::int64_t submit_script(const std::string& script, const json& fields = json::object());
  // The job once it has finished.
  json finished(std::int64_t id);
  // Waits until `file` exists and returns what is in it.
  std::string wait_for_file(const std::filesystem::path& file);

private:
  json send(const std::string& method, const std::string& path, const std::string& body);

  scratch_directory scratch_;
  std::vector<std::string> under_;
  int pid_ = 0;
  std::unique_ptr<cli::client> client_;
};

// The process of a job's newest run, by its history; 0: none was started.
[[nodiscard]] int pid_in(const json& job);

// Waits until `condition` holds; fails the test when it does not come to hold in three minutes.
template <class Condition>
void eventually(Condition condition);

} // namespace ferry::tests

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

template <class Condition>
void ferry::tests::eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}
