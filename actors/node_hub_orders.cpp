// What is to run on nodes.
#include "actors/node_hub_state.hpp"

#include "runners/input_files.hpp"
#include "scheduling/job_results.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace ferry::actors {

void node_hub_state::run_there(run_batch& what) {
  const std::string node(node_of(what.place.device));
  if (!book_.give(node, what.batch, what.type->survive_partition)) {
    send(self_, parts_.queue,
         batch_not_started{what.batch, {error_code::unavailable, "node " + node + " is not connected", {}, {}}, false, false});
    send(self_, parts_.optimizer, slot_freed{what.batch, what.starts_worker});
    if (what.starts_worker)
      send(self_, parts_.optimizer, worker_gone{worker_id{what.batch.value}});
    return;
  }
  const std::string device(local_id(what.place.device));
  wire::run order{.batch = what.batch,
                  .type = what.type->name,
                  .device = device,
                  .slots = what.place.slots,
                  .memory_mib = what.place.memory_mib,
                  .worker = what.place.worker,
                  .follows = what.place.follows,
                  .starts_worker = what.starts_worker,
                  .warm = what.warm,
                  .ends_workers = what.ends_workers,
                  .jobs = {}};
  if (auto added = add_inputs(what, order); !added) {
    book_.over(what.batch);
    send(self_, parts_.queue,
         batch_over{what.batch, std::vector(what.jobs.size(), scheduling::job_outcome{job_state::failed,
                                                                                      failure{.kind = failure_kind::input,
                                                                                              .message = to_string(added.error())},
                                                                                      nullptr})});
    send(self_, parts_.optimizer, slot_freed{what.batch, what.starts_worker});
    if (what.starts_worker)
      send(self_, parts_.optimizer, worker_gone{worker_id{what.batch.value}});
    return;
  }
  for (std::size_t i = 0; i < what.jobs.size(); ++i) {
    auto& start = what.starts.at(i);
    order.jobs.push_back({what.jobs[i], std::move(start.params), std::move(start.checkpoints), start.part});
  }
  if (what.starts_worker)
    workers_.insert_or_assign(worker_id{what.batch.value}, worker{.device = what.place.device, .since = peers_[node].session});
  for (const worker_id one : what.ends_workers)
    if (const auto known = workers_.find(one); known != workers_.end())
      known->second.is_leaving = true;
  runs_.insert_or_assign(what.batch, run{.node = node,
                                         .device = what.place.device,
                                         .type = what.type->name,
                                         .jobs = what.jobs,
                                         .starts_worker = what.starts_worker,
                                         .inputs = order.inputs});
  give(node, std::move(order));
  arm();
}

// What its jobs read and its node does not see: what their parameters name, and the newest checkpoint of each that this head has.
// Checkpoints are then named by where they are here.
result<void> node_hub_state::add_inputs(run_batch& what, wire::run& order) const {
  std::set<std::string> roots;
  const auto add = [&](const std::string& root) -> result<bool> {
    if (roots.contains(root))
      return true;
    if (std::error_code failed; scheduling::is_below(root, parts_.shared))
      return std::filesystem::exists(root, failed);
    auto files = runners::list_input(root);
    if (!files)
      return fail(files.error());
    if (files->empty())
      return false; // the job says what it misses, or the node has it
    wire::input one{.root = root, .files = {}};
    for (auto& file : *files)
      one.files.push_back({std::move(file.path), file.bytes, file.modified_ns});
    order.inputs.push_back(std::move(one));
    roots.insert(root);
    return true;
  };
  order.input_params = what.type->parameters.job_result_paths();
  for (auto& start : what.starts) {
    for (const auto& source : scheduling::sources_in(json::parse(start.params), order.input_params))
      if (auto added = add(source); !added)
        return fail(added.error());
    for (checkpoint& one : start.checkpoints) {
      const auto file = (parts_.runs / to_string(one.batch) / "jobs" / to_string(one.job) / one.path).lexically_normal().string();
      const auto added = add(file);
      if (!added)
        return fail(added.error());
      if (!*added)
        continue;
      one.path = file;
      break; // the newest that is there will do
    }
  }
  return {};
}

// It ran there when this head started: the node says so when it joins, or its lease ends.
void node_hub_state::adopt(const adopt_batch& what) {
  const std::string node(node_of(what.device));
  book_.expect(node, what.batch, what.type != nullptr && what.type->survive_partition, boot_clock::now());
  runs_.insert_or_assign(
      what.batch, run{.node = node, .device = what.device, .type = what.type ? what.type->name : std::string(), .jobs = what.jobs});
  arm();
}

void node_hub_state::stop(const stop_batch& what) {
  const auto found = runs_.find(what.batch);
  if (found == runs_.end() || found->second.has_ended)
    return;
  found->second.stop = what;
  give(found->second.node, wire::stop{what.batch, scheduling::to_text(what.reason), what.jobs});
}

void node_hub_state::end(const end_workers& what) {
  std::map<std::string, std::vector<worker_id>> by_device;
  for (const worker_id one : what.workers)
    if (const auto known = workers_.find(one); known != workers_.end()) {
      known->second.is_leaving = true;
      by_device[known->second.device].push_back(one);
    } else {
      send(self_, parts_.optimizer, worker_gone{one});
    }
  for (auto& [device, workers] : by_device)
    give(std::string(node_of(device)), wire::end_workers{std::string(local_id(device)), std::move(workers)});
}

// Nodes say themselves which workers live.
void node_hub_state::adopt(const adopt_worker&) {}

// ---- orders on their way ----------------------------------------------------------------------------------------------------

void node_hub_state::give(const std::string& node, wire::order what) {
  peer& of = peers_[node];
  if (of.session == 0)
    return; // all that still counts is said again when it joins
  of.waiting.push_back(std::move(what));
  if (of.parked)
    flush(node);
}

// Answers the request that waits, with whatever there is.
void node_hub_state::flush(const std::string& node) {
  peer& of = peers_[node];
  auto parked = std::exchange(of.parked, std::nullopt);
  if (!parked)
    return;
  if (!book_.heard(node, of.session, boot_clock::now())) {
    parked->deliver(answer<wire::orders>(remote::to_refusal(over(node))));
    return;
  }
  wire::orders all{std::exchange(of.waiting, {})};
  for (const wire::order& one : all.all)
    if (const auto* order = std::get_if<wire::run>(&one))
      book_.sent(order->batch); // from now on it may run there
  parked->deliver(answer<wire::orders>(std::move(all)));
}

// ---- what comes to nothing --------------------------------------------------------------------------------------------------

void node_hub_state::never_started(batch_id batch, const std::string& why) {
  const auto found = runs_.find(batch);
  if (found == runs_.end())
    return;
  const run of = std::move(found->second);
  runs_.erase(found);
  book_.over(batch);
  send(self_, parts_.queue,
       batch_not_started{batch, {error_code::unavailable, why + " (node " + of.node + ")", {}, {}}, false, false});
  if (!of.is_freed)
    send(self_, parts_.optimizer, slot_freed{batch, of.starts_worker});
  if (of.starts_worker && workers_.erase(worker_id{batch.value}) > 0)
    send(self_, parts_.optimizer, worker_gone{worker_id{batch.value}});
}

// No lease covers it any more, so nothing of it runs; what became of it nobody knows.
void node_hub_state::give_up(batch_id batch, const std::string& why) {
  const auto found = runs_.find(batch);
  if (found == runs_.end())
    return;
  spdlog::error("batch {} on node {} is given up: {}", batch.value, found->second.node, why);
  run& of = found->second;
  std::vector<scheduling::job_outcome> outcomes;
  for (const job_id job : of.jobs) {
    if (const auto ended = of.ended_jobs.find(job); ended != of.ended_jobs.end()) {
      outcomes.push_back(ended->second);
      continue;
    }
    scheduling::job_report told;
    for (const job_id whose : {job_id{}, job})
      if (const auto notes = of.notes.find(whose); notes != of.notes.end())
        told.notes.insert(told.notes.end(), notes->second.begin(), notes->second.end());
    const auto& stopped = of.stop;
    told.stop_is_its =
        !stopped || stopped->jobs.empty() || std::find(stopped->jobs.begin(), stopped->jobs.end(), job) != stopped->jobs.end();
    auto outcome =
        scheduling::judge({.stopped_by = stopped ? scheduling::to_text(stopped->reason) : std::string(), .lost = true}, told);
    if (outcome.why_failed)
      outcome.why_failed->message = why + " (node " + of.node + ")";
    outcomes.push_back(std::move(outcome));
  }
  if (!of.is_freed)
    free(batch, of, true);
  end_of(batch, std::move(outcomes));
  runs_.erase(batch);
}

// A node keeps the files of a run until its end is on the head's disk.
void node_hub_state::settle() {
  if (settling_.empty() || std::exchange(settling_is_asked_, true))
    return;
  request(self_, parts_.queue, caf::infinite, read_running{}).then([this, asked = settling_](const running_books& now) {
    settling_is_asked_ = false;
    const std::set<batch_id> known(now.known.begin(), now.known.end());
    for (const auto& [batch, node] : asked)
      if (!known.contains(batch)) {
        settling_.erase(batch);
        give(node, wire::forget{batch});
      }
    forget_removed();
  });
}

} // namespace ferry::actors
