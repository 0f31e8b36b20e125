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
               const std::string& node = {});
  ~node_process(); // kills what still runs, jobs included

  void start();
  void kill(); // SIGKILL, and waits for its end
  int stop();  // SIGTERM; its exit status
  void freeze() const;
  void thaw() const;

  [[nodiscard]] std::filesystem::path data() const { return scratch_.path() / "data"; }
  [[nodiscard]] std::filesystem::path run(std::int64_t batch) const { return data() / "node" / "runs" / std::to_string(batch); }
  [[nodiscard]] std::string log() const;

private:
  scratch_directory scratch_;
  int pid_ = 0;
};

} // namespace ferry::tests
