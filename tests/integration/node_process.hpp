// A head with nodes on this machine: real daemons, each in a directory of its own, that speak over loopback.
#pragma once

#include "tests/integration/certificates.hpp"

#include <string>

namespace ferry::tests {

// A port of loopback that nobody has. Somebody else may take it before it is used; then the daemon says so and the test fails.
[[nodiscard]] int free_port();

// A ferryd that lends its CPU to the head at `port`.
class node_process {
public:
  // `types` is TOML that declares the job types; `node` are lines of [node].
  node_process(const certificates& known, int head_port, const std::string& name, const std::string& types, int slots = 2,
               const std::string& node = {}, const std::string& head_host = "127.0.0.1");
  ~node_process(); // kills what still runs, jobs included

  // What the program is started by, such as "ip netns exec NAME".
  void run_under(std::vector<std::string> words) { under_ = std::move(words); }
  // Other job types, from its next start on.
  void change(const std::string& types) const;

  void start();
  void kill(); // SIGKILL, and waits for its end
  int stop();  // SIGTERM; its exit status
  void freeze() const;
  void thaw() const;

  [[nodiscard]] std::filesystem::path data() const { return scratch_.path() / "data"; }
  [[nodiscard]] std::filesystem::path run(std::int64_t batch) const { return data() / "node" / "runs" / std::to_string(batch); }
  [[nodiscard]] std::string log() const;
  // Waits until its log says so.
  void wait_for_log(const std::string& words) const;
  // Of jobs and workers.
  [[nodiscard]] std::vector<int> job_processes() const { return processes_of(data()); }
  [[nodiscard]] std::size_t run_directories() const;

private:
  scratch_directory scratch_;
  std::string head_; // of its configuration: all but the job types
  std::vector<std::string> under_;
  int pid_ = 0;
};

} // namespace ferry::tests
