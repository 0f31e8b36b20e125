// A Slurm of one node on loopback, in a directory of its own and with ports of its own: Debian's slurmctld and slurmd.
#pragma once

#include "tests/integration/daemon_process.hpp"

#include <string>

namespace ferry::tests {

class slurm_cluster {
public:
  // Why there is none; empty: there can be one.
  [[nodiscard]] static std::string obstacle();

  slurm_cluster(); // its programs find it from now on (SLURM_CONF): daemons too that are started later
  ~slurm_cluster();
  slurm_cluster(const slurm_cluster&) = delete;
  slurm_cluster& operator=(const slurm_cluster&) = delete;

  // The one that decides what runs.
  void stop_controller();
  void start_controller();
  void fail_node();
  void resume_node();
  // Nothing is started there while it drains; what runs goes on.
  void drain_node();

  // Jobs as squeue has them, "STATE name" a line; those that ended lately among them.
  [[nodiscard]] static std::string jobs();
  // How many times Slurm has started something.
  [[nodiscard]] int starts() const;
  // The ids of those in this state.
  [[nodiscard]] static std::vector<std::string> in_state(const std::string& state);
  [[nodiscard]] std::string log() const;

private:
  void write_configuration();

  scratch_directory scratch_;
  int controller_port_ = 0, node_port_ = 0;
  int controller_ = 0, node_ = 0; // pids
};

} // namespace ferry::tests
