#include "actors/node_link_actor.hpp"

#include "actors/gpu_executor_actor.hpp"
#include "actors/node_inputs_actor.hpp"
#include "actors/node_mirror_actor.hpp"
#include "actors/run_router.hpp"
#include "config/limits.hpp"
#include "model/parameter_path.hpp"
#include "scheduling/device_health.hpp"
#include "scheduling/node_lease.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <spdlog/spdlog.h>

namespace ferry::actors {
namespace {

using namespace std::chrono_literals;
namespace wire = remote::node;

constexpr duration look_pause = 2s;      // between looks at the devices and the disk
constexpr duration piece_patience = 60s; // for the head's disk
constexpr std::size_t look_back = 64;    // events, for an older progress of the same job

struct node_link_state {
  using handle = node_link_actor;

  node_link_state(handle::pointer self, node_link_parts parts)
      : self_(self), parts_(std::move(parts)), health_(parts_.devices.size()) {}

  handle::behavior_type make_behavior() {
    for (const device& d : parts_.devices) {
      const auto made = spawn_gpu_executor(
          self_->home_system(), {d, parts_.control, parts_.router, handle(self_), handle(self_), handle(self_), parts_.lease_path});
      self_->link_to(made);
      executors_.emplace(d.id, made);
    }
    join();
    return {
        [this](const batch_began& what) { tell(wire::began{what.batch}); },
        [this](batch_progressed& what) {
          tell_progress({what.batch, what.job, std::move(what.how_far)});
        },
        [this](batch_noted& what) { noted(what); },
        [this](batch_not_started& what) {
          given_.erase(what.batch); // else its directory would be kept for a run that is being followed
          send(self_, inputs_, release_inputs{what.batch});
          tell(wire::not_started{what.batch, std::move(what.why), what.crashed, what.is_trouble});
        },
        [this](job_over& what) {
          name_result_below(what.batch, what.job, what.outcome);
          tell_after_copy(what.batch, {what.job}, false, wire::job_ended{what.batch, what.job, std::move(what.outcome)});
        },
        [this](batch_over& what) { ended(what); },
        [this](const slot_freed& what) { freed(what); },
        [this](const worker_gone& what) { tell(wire::worker_left{what.worker}); },
        [this](batch_sign& what) {
          tell(wire::sign{what.batch, what.at, std::move(what.how_far)});
        },
        [this](look_at_devices_due) { look_at_devices(); },
    };
  }

private:
  struct given {
    std::string device;
    std::vector<job_id> jobs;
  };

  // ---- the session ----

  void end(error why) {
    if (std::exchange(has_ended_, true))
      return;
    lease_.left();
    parts_.on_ended(why);
    self_->quit(caf::exit_reason::user_shutdown);
  }

  template <class T, class Message, class Then>
  void ask(Message message, duration patience, Then then) {
    const auto sent = boot_clock::now();
    request(self_, parts_.head, patience, std::move(message))
        .then(
            [this, sent, then = std::move(then)](remote::answer<T>& got) {
              if (has_ended_)
                return;
              if (const auto* refused = std::get_if<remote::refusal>(&got))
                end(remote::to_error(*refused));
              else
                then(std::get<T>(got), sent);
            },
            [this](const caf::error& why) {
              end({error_code::unavailable, "the head does not answer: " + to_string(why), {}, {}});
            });
  }

  [[nodiscard]] duration patience() const { return parts_.settings->node.silent_after; }

  void join() {
    ask<wire::welcome>(parts_.offer, std::max<duration>(patience(), 10s), [this](wire::welcome& welcome, boot_instant sent) {
      if (auto joined = parts_.on_joined(welcome); !joined) {
        end(joined.error());
        return;
      }
      lease_length_ = welcome.lease;
      heartbeat_ = welcome.heartbeat;
      lease_.joined(welcome.session, sent, welcome.lease);
      parts_.lease->set(lease_.until());
      const auto on_ended = [self = handle(self_)](const std::string&) {
        caf::anon_send_exit(self, caf::exit_reason::user_shutdown);
      };
      mirror_ = spawn_node_mirror(self_->home_system(),
                                  {parts_.head, parts_.offer.name, welcome.session, parts_.runs, piece_patience, on_ended});
      const runners::input_cache cache(parts_.cache, static_cast<std::uint64_t>(parts_.settings->node.cache_mib) << 20U);
      inputs_ = spawn_node_inputs(self_->home_system(),
                                  {parts_.head, parts_.offer.name, welcome.session, cache, piece_patience, on_ended});
      self_->link_to(inputs_);
      self_->link_to(mirror_);
      fetch_orders();
      report();
      look_at_devices();
    });
  }

  void was_answered(boot_instant sent) {
    lease_.answered(lease_.session(), sent, lease_length_);
    parts_.lease->set(lease_.until());
  }

  void fetch_orders() {
    ask<wire::orders>(wire::await_orders{parts_.offer.name, lease_.session()}, heartbeat_ + patience(),
                      [this, session = lease_.session()](wire::orders& got, boot_instant sent) {
                        was_answered(sent);
                        if (!lease_.obeys(session, boot_clock::now())) { // this process was stopped for a while
                          end({error_code::unavailable, "the lease ended before the orders came", {}, {}});
                          return;
                        }
                        for (wire::order& one : got.all)
                          std::visit([this](auto& order) { obey(order); }, one);
                        fetch_orders();
                      });
  }

  // ---- orders ----

  void obey(wire::run& what) {
    const auto* type = parts_.settings->find_job_type(what.type);
    const auto executor = executors_.find(what.device);
    if (!type || executor == executors_.end()) {
      tell(wire::not_started{what.batch,
                             {error_code::unavailable,
                              "node " + parts_.offer.name + " has no " +
                                  (type ? "device " + what.device : "job type '" + what.type + "'") + " any more",
                              {},
                              {}},
                             false,
                             true});
      tell(wire::freed{what.batch, what.starts_worker});
      if (what.starts_worker)
        tell(wire::worker_left{worker_id{what.batch.value}});
      return;
    }
    run_batch order{.batch = what.batch,
                    .type = type,
                    .place = {.device = what.device,
                              .slots = what.slots,
                              .memory_mib = what.memory_mib,
                              .worker = what.worker,
                              .follows = what.follows},
                    .jobs = {},
                    .starts = {},
                    .starts_worker = what.starts_worker,
                    .warm = what.warm,
                    .ends_workers = std::move(what.ends_workers)};
    for (wire::run_job& job : what.jobs) {
      order.jobs.push_back(job.id);
      order.starts.push_back({std::move(job.params), std::move(job.checkpoints), job.part});
    }
    given_.insert_or_assign(what.batch, given{what.device, order.jobs});
    if (what.inputs.empty()) {
      launch(std::move(order));
      return;
    }
    const fetch_inputs wanted{what.batch, what.inputs};
    fetching_.emplace(what.batch, std::nullopt);
    request(self_, inputs_, caf::infinite, wanted)
        .then([this, order = std::move(order), inputs = std::move(what.inputs), params = std::move(what.input_params)](
                  const result<done>& fetched) mutable { inputs_came(std::move(order), inputs, params, fetched); });
  }

  void launch(run_batch order) {
    send(self_, mirror_, follow_files{order.batch});
    const auto& executor = executors_.at(order.place.device);
    send(self_, executor, std::move(order));
  }

  // What stands under their names on the head is read from the cache here.
  void inputs_came(run_batch order, const std::vector<wire::input>& inputs, const std::vector<std::string>& params,
                   const result<done>& fetched) {
    const auto stopped = fetching_.extract(order.batch).mapped();
    if (!fetched || stopped) {
      end_unfetched(order, stopped, fetched ? error{} : fetched.error());
      return;
    }
    const runners::input_cache cache(parts_.cache, 0);
    std::map<std::string, std::string> copies;
    for (const wire::input& one : inputs)
      copies.emplace(one.root, cache.path_of(one.root, files_of(one)).string());
    for (auto& start : order.starts) {
      json document = json::parse(start.params);
      for (const auto& path : params)
        if (json* value = find_parameter(document, path); value && value->is_string())
          if (const auto copy = copies.find(value->get<std::string>()); copy != copies.end())
            *value = copy->second;
      start.params = document.dump();
      for (checkpoint& one : start.checkpoints)
        if (const auto copy = copies.find(one.path); copy != copies.end())
          one.path = copy->second;
    }
    launch(std::move(order));
  }

  void end_unfetched(const run_batch& order, const std::optional<stop_batch>& stopped, const error& why) {
    given_.erase(order.batch);
    send(self_, inputs_, release_inputs{order.batch});
    std::vector<scheduling::job_outcome> outcomes;
    for (const job_id job : order.jobs)
      if (stopped)
        outcomes.push_back(scheduling::judge_unlaunched(
            stopped->reason,
            stopped->jobs.empty() || std::find(stopped->jobs.begin(), stopped->jobs.end(), job) != stopped->jobs.end()));
      else
        outcomes.push_back({job_state::failed,
                            failure{.kind = failure_kind::transient,
                                    .message = "its inputs could not be brought to node " + parts_.offer.name + ": " + why.what},
                            nullptr});
    tell(wire::batch_ended{order.batch, std::move(outcomes)});
    tell(wire::freed{order.batch, order.starts_worker});
    if (order.starts_worker)
      tell(wire::worker_left{worker_id{order.batch.value}});
  }

  void obey(wire::adopt& what) {
    auto executor = executors_.find(what.device);
    if (executor == executors_.end()) // that device is not there any more: somebody has to follow the run
      executor = executors_.begin();
    given_.insert_or_assign(what.batch, given{executor->first, what.jobs});
    send(self_, mirror_, follow_files{what.batch});
    send(self_, executor->second, adopt_batch{what.batch, parts_.settings->find_job_type(what.type), what.jobs, executor->first});
  }

  void obey(wire::stop& what) {
    const auto found = given_.find(what.batch);
    const auto reason = scheduling::stop_reason_from(what.reason);
    if (!reason)
      return;
    if (const auto fetching = fetching_.find(what.batch); fetching != fetching_.end()) {
      fetching->second = stop_batch{what.batch, *reason, std::move(what.jobs)};
      send(self_, inputs_, abandon_inputs{what.batch});
    } else if (found != given_.end()) {
      send(self_, executors_.at(found->second.device), stop_batch{what.batch, *reason, std::move(what.jobs)});
    }
  }

  // What lives of it is ended first, as any other run that is adopted and stopped.
  void obey(wire::forget& what) {
    if (given_.contains(what.batch))
      return; // it is being followed: of this session
    const auto condition = parts_.control->inspect(what.batch);
    if (!std::holds_alternative<runners::run_alive>(condition)) {
      // What is over has left nothing; a worker that ran it may live on.
      const bool is_unclear =
          std::holds_alternative<runners::run_lost>(condition) || std::holds_alternative<runners::run_damaged>(condition);
      if (auto ended = is_unclear ? parts_.control->end_survivors(what.batch) : result<void>(); !ended)
        spdlog::error("{}", to_string(ended.error()));
      else
        send(self_, mirror_, remove_files{what.batch});
      return;
    }
    spdlog::warn("batch {} still runs and the head has given it up: it is ended", what.batch.value);
    forgotten_.insert(what.batch);
    const auto& executor = executors_.begin()->second;
    send(self_, executor, adopt_batch{what.batch, nullptr, {}, executors_.begin()->first});
    send(self_, executor, stop_batch{what.batch, {.why = "the head has given it up"}});
  }

  void obey(wire::end_workers& what) {
    if (const auto executor = executors_.find(what.device); executor != executors_.end())
      send(self_, executor->second, end_workers{std::move(what.workers)});
  }

  void obey(wire::adopt_worker& what) {
    auto executor = executors_.find(what.device);
    send(self_, (executor == executors_.end() ? executors_.begin() : executor)->second, adopt_worker{what.worker});
  }

  // ---- reports ----

  // A checkpoint is told once the head has its file, so that the job can go on from there on any machine.
  void noted(batch_noted& what) {
    const auto& detail = what.note.detail;
    const bool is_file = what.note.what == note_kind::checkpoint && what.job && detail.is_object();
    const auto path = is_file ? detail.value("path", std::string()) : std::string();
    wire::noted told{what.batch, what.job, std::move(what.note)};
    if (path.empty() || path.front() == '/') {
      tell(std::move(told));
      return;
    }
    request(self_, mirror_, caf::infinite, copy_file{what.batch, "jobs/" + to_string(*what.job) + "/" + path})
        .then([this, told = std::move(told)](done) mutable { tell(std::move(told)); });
  }

  void ended(batch_over& what) {
    if (forgotten_.erase(what.batch) > 0) {
      send(self_, mirror_, remove_files{what.batch});
      return;
    }
    const auto found = given_.find(what.batch);
    if (found == given_.end())
      return;
    auto jobs = std::move(found->second.jobs);
    given_.erase(found);
    send(self_, inputs_, release_inputs{what.batch});
    for (std::size_t i = 0; i < std::min(jobs.size(), what.outcomes.size()); ++i)
      name_result_below(what.batch, jobs[i], what.outcomes[i]);
    tell_after_copy(what.batch, std::move(jobs), true, wire::batch_ended{what.batch, std::move(what.outcomes)});
  }

  // A result that names its file by where it is on the node: on the head it is elsewhere.
  void name_result_below(batch_id batch, job_id job, scheduling::job_outcome& outcome) const {
    if (!outcome.result.is_object() || !outcome.result.contains("path") || !outcome.result["path"].is_string())
      return;
    const auto folder = (parts_.runs / to_string(batch) / "jobs" / to_string(job)).string() + "/";
    if (const auto text = outcome.result["path"].get<std::string>(); text.starts_with(folder))
      outcome.result["path"] = text.substr(folder.size());
  }

  void freed(const slot_freed& what) { tell(wire::freed{what.batch, what.worker_ended}); }

  // A job that has ended has its files on the head.
  void tell_after_copy(batch_id batch, std::vector<job_id> jobs, bool is_over, wire::event what) {
    request(self_, mirror_, caf::infinite, copy_files{batch, std::move(jobs), is_over})
        .then([this, what = std::move(what)](done) mutable { tell(std::move(what)); });
  }

  // Only the newest of each job is worth telling.
  void tell_progress(wire::progressed what) {
    const auto first = events_.size() > look_back ? events_.end() - look_back : events_.begin();
    for (auto at = first; at != events_.end(); ++at)
      if (auto* known = std::get_if<wire::progressed>(&*at); known && known->batch == what.batch && known->job == what.job) {
        known->how_far = std::move(what.how_far);
        return;
      }
    tell(std::move(what));
  }

  void tell(wire::event what) {
    events_.push_back(std::move(what));
    if (events_.size() > limits::node_events_waiting_max)
      end({error_code::too_large, "more events wait for the head than limits::node_events_waiting_max allows", {}, {}});
    else
      report();
  }

  void report() {
    if (events_.empty() || lease_.session() == 0 || std::exchange(is_reporting_, true))
      return;
    wire::report what{parts_.offer.name, lease_.session(), {}};
    const auto count = std::min(events_.size(), limits::node_events_per_report_max);
    std::move(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(count), std::back_inserter(what.events));
    events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(count));
    ask<wire::acknowledged>(std::move(what), patience(), [this](wire::acknowledged, boot_instant sent) {
      was_answered(sent);
      is_reporting_ = false;
      report();
    });
  }

  // ---- this machine ----

  void look_at_devices() {
    const bool has_gpu =
        std::any_of(parts_.devices.begin(), parts_.devices.end(), [](const device& d) { return d.kind == device_kind::gpu; });
    if (has_gpu) {
      const auto readings = parts_.read_devices();
      for (std::size_t i = 0; i < std::min(readings.size(), parts_.devices.size()); ++i)
        if (auto changed = health_[i].read(readings[i]))
          tell(wire::device_changed{parts_.devices[i].id, std::move(*changed), true});
    }
    look_at_disk();
    send_later(self_, look_pause, look_at_devices_due{});
  }

  void look_at_disk() {
    std::error_code unreadable;
    const auto space = std::filesystem::space(parts_.runs, unreadable);
    const auto free_mib = static_cast<std::int64_t>(space.available >> 20U);
    const bool full = !unreadable && free_mib < parts_.settings->storage.free_mib_min;
    if (full == disk_full_)
      return;
    disk_full_ = full;
    for (const device& d : parts_.devices)
      tell(wire::device_changed{d.id, full ? "the disk of node " + parts_.offer.name + " is nearly full" : std::string(), false});
  }

  handle::pointer self_;
  node_link_parts parts_;
  scheduling::node_lease lease_;
  duration lease_length_{}, heartbeat_{};
  std::map<std::string, local_executor_actor> executors_; // by device
  node_mirror_actor mirror_;
  node_inputs_actor inputs_;
  std::map<batch_id, std::optional<stop_batch>> fetching_; // whose inputs are on their way, and whether it is to be stopped
  std::map<batch_id, given> given_;
  std::set<batch_id> forgotten_; // that are being ended, to be removed
  std::deque<wire::event> events_;
  bool is_reporting_ = false, has_ended_ = false, disk_full_ = false;
  std::vector<scheduling::device_health> health_;
};

} // namespace

node_link_actor spawn_node_link(caf::actor_system& system, node_link_parts parts) {
  return spawn<node_link_state, caf::detached>(system, std::move(parts));
}

} // namespace ferry::actors
