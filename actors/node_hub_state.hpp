// The state of the node hub. Its handlers stand in three files: node_hub_actor.cpp (sessions: who joins, who falls silent),
// node_hub_orders.cpp (what is to run on nodes) and node_hub_reports.cpp (what nodes tell, and the files they bring).
#pragma once

#include "actors/node_hub_actor.hpp"

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace ferry::actors {

namespace wire = remote::node;

class node_hub_state {
public:
  using handle = node_hub_actor;

  node_hub_state(handle::pointer self, node_hub_parts parts) : self_(self), parts_(std::move(parts)), book_(parts_.rules) {}
  handle::behavior_type make_behavior();

private:
  template <class T>
  using answer = remote::answer<T>;

  // A batch that a node was given.
  struct run {
    std::string node, device; // as the head names it
    std::string type;
    std::vector<job_id> jobs;
    bool starts_worker = false;
    std::vector<wire::input> inputs = {}; // that the node may fetch
    std::optional<stop_batch> stop = {};  // asked for: said again in each session
    std::map<job_id, scheduling::job_outcome> ended_jobs = {};
    std::map<job_id, std::vector<run_note>> notes = {}; // of those that still run; none: of each
    bool has_ended = false, is_freed = false;           // told to the queue; told to the optimizer
  };
  struct worker {
    std::string device;             // as the head names it
    bool is_leaving = false;        // told to end
    bool is_counted = true;         // the optimizer knows it; else it ends with its batch
    wire::session_number since = 0; // the session in which it was to be started
  };
  struct peer {
    std::vector<wire::order> waiting;
    std::optional<caf::typed_response_promise<answer<wire::orders>>> parked; // a request for orders
    std::uint64_t parked_number = 0;
    wire::session_number session = 0;
    std::optional<instant> heard;
    std::optional<std::vector<wire::worker>> workers;     // that it said it has; taken up once it speaks in its session
    std::map<std::string, wire::device_changed> troubles; // by device, as on the node
  };

  // node_hub_actor.cpp
  caf::result<answer<wire::welcome>> join(wire::join& what);
  [[nodiscard]] result<void> check(const wire::join& what) const;
  void take_up(const wire::join& what, const scheduling::node_welcome& admitted);
  void reconcile_workers(const std::string& node, const std::vector<wire::worker>& live);
  caf::result<answer<wire::orders>> await_orders(const wire::await_orders& what);
  caf::result<answer<wire::acknowledged>> leave(const wire::leave& what);
  void session_over(const std::string& node, const std::vector<batch_id>& never_started, const std::string& why);
  void look();
  void arm();
  void tell_devices(const std::string& node);
  [[nodiscard]] std::string trouble_of(const remote::known_node& node, const device& on) const;
  [[nodiscard]] node_list list() const;
  caf::result<result<done>> drain(const drain_node& what);
  caf::result<result<done>> remove(const remove_node& what);
  void forget_removed();

  // node_hub_orders.cpp
  void run_there(run_batch& what);
  void adopt(const adopt_batch& what);
  void stop(const stop_batch& what);
  void end(const end_workers& what);
  void adopt(const adopt_worker& what);
  [[nodiscard]] result<void> add_inputs(run_batch& what, wire::run& order) const;
  void give(const std::string& node, wire::order what);
  void flush(const std::string& node);
  void never_started(batch_id batch, const std::string& why);
  void give_up(batch_id batch, const std::string& why);
  void settle();

  // node_hub_reports.cpp
  caf::result<answer<wire::acknowledged>> report(wire::report& what);
  caf::result<answer<wire::piece_taken>> take(const wire::piece& what);
  caf::result<answer<wire::fetched>> give_piece(const wire::fetch& what);
  void take(const std::string& node, wire::began& what);
  void take(const std::string& node, wire::progressed& what);
  void take(const std::string& node, wire::noted& what);
  void take(const std::string& node, wire::not_started& what);
  void take(const std::string& node, wire::job_ended& what);
  void take(const std::string& node, wire::batch_ended& what);
  void take(const std::string& node, wire::freed& what);
  void take(const std::string& node, wire::worker_left& what);
  void take(const std::string& node, wire::sign& what);
  void take(const std::string& node, wire::device_changed& what);
  void end_of(batch_id batch, std::vector<scheduling::job_outcome> outcomes);
  void free(batch_id batch, run& of, bool worker_ended);
  // Null: nothing that this node may speak of.
  [[nodiscard]] run* find(const std::string& node, batch_id batch);

  [[nodiscard]] static error over(const std::string& node) {
    return {error_code::conflict, "this session of node " + node + " is over", "join again", {}};
  }

  handle::pointer self_;
  node_hub_parts parts_;
  scheduling::node_book book_;
  std::map<std::string, peer> peers_; // by node
  std::map<batch_id, run> runs_;
  std::map<worker_id, worker> workers_;
  std::map<batch_id, std::string> settling_; // by node, whose end may not be on disk yet: the node keeps its files
  bool settling_is_asked_ = false;
  std::set<std::string> removed_;           // nodes that are to be forgotten once the ends of what they had are on disk
  std::map<std::string, std::string> told_; // what was told of each device: its trouble
  std::optional<boot_instant> armed_;       // when nodes_due comes
  std::random_device random_;
};

} // namespace ferry::actors
