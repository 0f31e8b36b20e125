// The head: its disk (which jobs there are, what runs where), and its daemon with the book of nodes.
#pragma once

#include "simulated_world.hpp"

namespace ferry::scheduling::test {

class simulated_node;

class simulated_head {
public:
  static node_rules rules_with(flaw wrong);
  static constexpr duration lease = std::chrono::seconds(12); // as nodes are told

  simulated_head(world& in, node_rules rules) : in_(in), rules_(rules), book_(rules), daemon_(in) {}

  void start();
  void kill() { daemon_.kill(); }
  void pause() { daemon_.pause(); }
  void go_on() { daemon_.go_on(); }
  [[nodiscard]] bool is_alive() const { return daemon_.is_alive(); }

  void submit(bool survives, nanoseconds length);
  void stop_something(); // a user wants one of what runs to run later
  // The operator has seen that this machine is off for ever.
  void remove_by_force(const simulated_node& gone);
  void receive(simulated_node& from, const request& said);

  [[nodiscard]] std::size_t jobs_left() const { return jobs_left_; }
  [[nodiscard]] const node_book& book() const { return book_; }
  // Whether it is on disk that this batch of that job runs there.
  [[nodiscard]] bool counts_on(batch_id which, job_id of, const std::string& node) const;

private:
  struct job {
    bool is_running = false, is_done = false, survives = false;
    nanoseconds length{};
  };
  struct batch {
    job_id job;
    std::string node;
  };
  struct waiting_request {
    simulated_node* from = nullptr; // null: none
    std::uint64_t number = 0;
    session_number session = 0;
  };

  void tick();
  void look();
  void dispatch();
  void give(batch_id which, job_id of, const std::string& node);
  void answer_orders(const std::string& node);
  void send(simulated_node& to, const answer& what) const;
  void take_join(simulated_node& from, const request& said);
  void take_report(simulated_node& from, const request& said);
  void ended(batch_id which, run_end how);
  void again(batch_id which);
  void lost(const std::vector<batch_id>& all);
  void never_started(const std::vector<batch_id>& all);

  world& in_;
  node_rules rules_;
  // On disk.
  std::map<job_id, job> jobs_;
  std::map<batch_id, batch> batches_;
  std::map<std::string, std::string> machines_; // the ids of nodes
  std::int64_t last_batch_ = 0;
  std::uint64_t starts_ = 0;
  std::size_t jobs_left_ = 0;

  // In memory.
  node_book book_;
  simulated_process daemon_;
  std::uint64_t last_session_ = 0;
  std::map<session_number, std::map<request::kind, std::uint64_t>> taken_; // the last request of each kind
  std::map<std::string, std::vector<order>> orders_;                       // yet to be sent
  std::map<std::string, waiting_request> waiting_;
};

} // namespace ferry::scheduling::test
