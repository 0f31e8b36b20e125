// What nodes tell, and the files that they bring.
#include "actors/node_hub_state.hpp"

#include "actors/run_tally.hpp"
#include "config/limits.hpp"
#include "runners/input_files.hpp"
#include "runners/run_copy.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace ferry::actors {

caf::result<remote::answer<wire::acknowledged>> node_hub_state::report(wire::report& what) {
  look();
  if (!book_.heard(what.name, what.session, boot_clock::now()))
    return answer<wire::acknowledged>(remote::to_refusal(over(what.name)));
  if (what.events.size() > limits::node_events_per_report_max)
    return answer<wire::acknowledged>(
        remote::to_refusal({error_code::too_large,
                            "a report holds at most " + std::to_string(limits::node_events_per_report_max) +
                                " events; this one has " + std::to_string(what.events.size()),
                            {},
                            {}}));
  peers_[what.name].heard = wall_clock_now();
  for (wire::event& one : what.events)
    std::visit([&](auto& event) { take(what.name, event); }, one);
  arm();
  return answer<wire::acknowledged>(wire::acknowledged{});
}

node_hub_state::run* node_hub_state::find(const std::string& node, batch_id batch) {
  const auto found = runs_.find(batch);
  return found == runs_.end() || found->second.node != node ? nullptr : &found->second;
}

// ---- of runs ----------------------------------------------------------------------------------------------------------------

void node_hub_state::take(const std::string& node, wire::began& what) {
  if (const run* of = find(node, what.batch); of && !of->has_ended)
    send(self_, parts_.queue, batch_began{what.batch});
}

void node_hub_state::take(const std::string& node, wire::progressed& what) {
  if (const run* of = find(node, what.batch); of && !of->has_ended)
    send(self_, parts_.queue, batch_progressed{what.batch, what.job, std::move(what.how_far)});
}

// A node that joins tells all that happened in a run once more: what is known is not told again.
void node_hub_state::take(const std::string& node, wire::noted& what) {
  run* of = find(node, what.batch);
  if (!of || of->has_ended)
    return;
  auto& known = of->notes[what.job.value_or(job_id{})];
  const bool is_known = std::any_of(known.begin(), known.end(), [&](const run_note& one) {
    return one.what == what.note.what && one.at == what.note.at && one.detail == what.note.detail;
  });
  if (is_known)
    return;
  add_note(known, what.note);
  send(self_, parts_.queue, batch_noted{what.batch, what.job, std::move(what.note)});
}

void node_hub_state::take(const std::string& node, wire::not_started& what) {
  run* of = find(node, what.batch);
  if (!of || of->has_ended)
    return;
  of->has_ended = true;
  book_.over(what.batch);
  settling_.insert_or_assign(what.batch, node);
  send(self_, parts_.queue, batch_not_started{what.batch, std::move(what.why), what.crashed, what.is_trouble});
  if (of->is_freed)
    runs_.erase(what.batch);
}

void node_hub_state::take(const std::string& node, wire::job_ended& what) {
  run* of = find(node, what.batch);
  if (!of || of->has_ended || std::find(of->jobs.begin(), of->jobs.end(), what.job) == of->jobs.end() ||
      !of->ended_jobs.emplace(what.job, what.outcome).second)
    return;
  send(self_, parts_.queue, job_over{what.batch, what.job, std::move(what.outcome)});
}

void node_hub_state::take(const std::string& node, wire::batch_ended& what) {
  run* of = find(node, what.batch);
  if (!of || of->has_ended)
    return;
  if (what.outcomes.size() != of->jobs.size()) {
    give_up(what.batch,
            "its node told of " + std::to_string(what.outcomes.size()) + " ends for " + std::to_string(of->jobs.size()) + " jobs");
    return;
  }
  end_of(what.batch, std::move(what.outcomes));
  if (of->is_freed)
    runs_.erase(what.batch);
}

void node_hub_state::end_of(batch_id batch, std::vector<scheduling::job_outcome> outcomes) {
  run& of = runs_.at(batch);
  of.has_ended = true;
  book_.over(batch);
  settling_.insert_or_assign(batch, of.node);
  send(self_, parts_.queue, batch_over{batch, std::move(outcomes)});
}

void node_hub_state::take(const std::string& node, wire::freed& what) {
  run* of = find(node, what.batch);
  if (!of || of->is_freed)
    return;
  free(what.batch, *of, what.worker_ended);
  if (of->has_ended)
    runs_.erase(what.batch);
}

void node_hub_state::free(batch_id batch, run& of, bool worker_ended) {
  of.is_freed = true;
  send(self_, parts_.optimizer, slot_freed{batch, worker_ended});
  // Workers that this head does not know of end with their batch.
  std::map<std::string, std::vector<worker_id>> unknown;
  for (const auto& [id, one] : workers_)
    if (!one.is_counted && one.device == of.device)
      unknown[one.device].push_back(id);
  for (auto& [device, workers] : unknown)
    give(of.node, wire::end_workers{std::string(local_id(device)), std::move(workers)});
}

void node_hub_state::take(const std::string& node, wire::worker_left& what) {
  const auto found = workers_.find(what.worker);
  if (found == workers_.end() || node_of(found->second.device) != node)
    return;
  if (found->second.is_counted)
    send(self_, parts_.optimizer, worker_gone{what.worker});
  workers_.erase(found);
}

void node_hub_state::take(const std::string& node, wire::sign& what) {
  if (const run* of = find(node, what.batch); of && !of->has_ended)
    send(self_, parts_.watchdog, batch_sign{what.batch, what.at, std::move(what.how_far)});
}

void node_hub_state::take(const std::string& node, wire::device_changed& what) {
  auto& troubles = peers_[node].troubles;
  if (what.trouble.empty())
    troubles.erase(what.device);
  else
    troubles.insert_or_assign(what.device, what);
  tell_devices(node);
}

// ---- files ------------------------------------------------------------------------------------------------------------------

caf::result<remote::answer<wire::piece_taken>> node_hub_state::take(const wire::piece& what) {
  if (!book_.heard(what.name, what.session, boot_clock::now()))
    return answer<wire::piece_taken>(remote::to_refusal(over(what.name)));
  peers_[what.name].heard = wall_clock_now();
  const run* of = find(what.name, what.batch);
  if (!of || of->has_ended)
    return answer<wire::piece_taken>(remote::to_refusal(
        {error_code::not_found, "batch " + to_string(what.batch) + " is not one of node " + what.name + "'s", {}, {}}));
  if (what.bytes.size() > limits::node_piece_bytes_max)
    return answer<wire::piece_taken>(
        remote::to_refusal({error_code::too_large,
                            "a piece of a file takes at most " + std::to_string(limits::node_piece_bytes_max) +
                                " bytes; this one has " + std::to_string(what.bytes.size()),
                            {},
                            {}}));
  const auto taken =
      runners::take_piece(parts_.runs, {what.batch, what.path, what.offset, what.bytes, what.is_last, what.modified_ns});
  if (!taken)
    return answer<wire::piece_taken>(remote::to_refusal(taken.error()));
  return answer<wire::piece_taken>(wire::piece_taken{*taken});
}

caf::result<remote::answer<wire::fetched>> node_hub_state::give_piece(const wire::fetch& what) {
  const auto refuse = [](error why) { return answer<wire::fetched>(remote::to_refusal(why)); };
  if (!book_.heard(what.name, what.session, boot_clock::now()))
    return refuse(over(what.name));
  peers_[what.name].heard = wall_clock_now();
  const error unknown{error_code::not_found, what.root + " is no input of batch " + to_string(what.batch), {}, {}};
  const run* of = find(what.name, what.batch);
  if (!of || of->has_ended)
    return refuse(unknown);
  const auto input =
      std::find_if(of->inputs.begin(), of->inputs.end(), [&](const wire::input& one) { return one.root == what.root; });
  if (input == of->inputs.end())
    return refuse(unknown);
  const auto file = std::lower_bound(input->files.begin(), input->files.end(), what.path,
                                     [](const wire::input_file& one, const std::string& path) { return one.path < path; });
  if (file == input->files.end() || file->path != what.path)
    return refuse(unknown);
  auto bytes = runners::read_input(what.root, {file->path, file->bytes, file->modified_ns}, what.offset);
  return bytes ? answer<wire::fetched>(wire::fetched{std::move(*bytes)}) : refuse(bytes.error());
}

} // namespace ferry::actors
