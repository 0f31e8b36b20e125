// A machine that is a node: its disk, its clock, the shims that end runs with the lease whatever its daemon does, and its daemon.
#pragma once

#include "scheduling/node_lease.hpp"
#include "simulated_world.hpp"

namespace ferry::scheduling::test {

class simulated_head;

class simulated_node {
public:
  // The KILL of a shim, from when it is due to when nothing runs any more. With the drift of a clock it is less than the margin.
  static constexpr nanoseconds kill_takes_max = std::chrono::milliseconds(1'200);
  static constexpr double drift_max = 0.04;

  simulated_node(world& in, simulated_head& head, std::string name, std::string id);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& id() const { return id_; }

  void start_daemon(); // where the machine is on
  void kill_daemon() { daemon_.kill(); }
  void pause() { daemon_.pause(); }
  void go_on() { daemon_.go_on(); }
  void power_off(); // what ran is gone without a record
  void power_on();
  void destroy(); // it never comes back
  [[nodiscard]] bool is_destroyed() const { return destroyed_; }

  bool up_is_cut = false, down_is_cut = false; // to the head, and from it
  void receive(const answer& said);

  // What runs now, and until when it may at the latest, in true time (nothing: without end).
  struct execution {
    batch_id batch;
    job_id job;
    std::optional<boot_instant> until = {};
  };
  [[nodiscard]] std::vector<execution> executions() const;

private:
  enum class stage { launching, running, ended };
  struct run {
    order what;
    stage at = stage::launching;
    run_end how = run_end::completed;
    nanoseconds grace{};
    bool heeds = true;    // TERM
    bool asked = false;   // to end
    bool is_known = true; // false: the head knows nothing of it; to be forgotten when it has ended
    std::uint64_t number = 0;
  };
  struct outstanding {
    std::uint64_t number = 0; // 0: none
    boot_instant sent{};
    std::vector<batch_id> reported = {};
  };

  [[nodiscard]] boot_instant clock() const; // of the machine
  [[nodiscard]] nanoseconds true_time(nanoseconds of_machine) const;
  [[nodiscard]] run* find(batch_id batch, std::uint64_t number);

  // The daemon.
  void join();
  void join_later();
  void ask(request::kind what, outstanding& as, std::vector<ending> endings = {});
  void report();
  void take_welcome(const answer& said);
  void take_orders(const answer& said);
  void obey(const order& what);
  void lease_is_longer();

  // The shims.
  void launch(batch_id batch);
  void watch_lease(batch_id batch, std::uint64_t number);
  void ask_to_end(batch_id batch, run& which, run_end how, nanoseconds grace);
  void end(batch_id batch, std::uint64_t number, run_end how);

  world& in_;
  simulated_head& head_;
  std::string name_, id_;
  bool on_ = true, destroyed_ = false;
  double drift_;
  boot_instant booted_; // true time
  nanoseconds boot_offset_;

  // On disk; the lease file is of this boot or has ended.
  std::map<batch_id, run> runs_;
  boot_instant lease_file_{};
  std::uint64_t last_run_ = 0;

  simulated_process daemon_;
  node_lease lease_;
  std::uint64_t last_request_ = 0;
  outstanding join_, report_, await_;
};

} // namespace ferry::scheduling::test
