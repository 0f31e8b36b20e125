#include "actors/watchdog_actor.hpp"

#include "scheduling/audit.hpp"
#include "scheduling/device_health.hpp"
#include "scheduling/run_watch.hpp"

#include <algorithm>
#include <set>
#include <spdlog/spdlog.h>
#include <unordered_map>

namespace ferry::actors {
namespace {

using namespace std::chrono_literals;

// One timer never runs longer than this, so that a clock that is set is noticed.
constexpr duration timer_max = 1min;
constexpr duration timer_min = 20ms;
constexpr duration machine_pause = 2s;

struct watchdog_state {
  using handle = watchdog_actor;

  watchdog_state(handle::pointer self, watchdog_parts parts)
      : self_(self), parts_(std::move(parts)), health_(parts_.devices.size()) {}

  handle::behavior_type make_behavior() {
    check_machine();
    send_later(self_, parts_.audit_interval, audit_due{});
    return {
        [this](const watch_batch& what) { watch(what); },
        [this](const batch_sign& what) { sign(what); },
        [this](const forget_batch& what) { watched_.erase(what.batch); },
        [this](const look_due& what) {
          if (const auto found = watched_.find(what.batch); found != watched_.end()) {
            found->second.armed.reset();
            look(found->first, found->second);
          }
        },
        [this](check_machine_due) { check_machine(); },
        [this](audit_due) { audit(); },
    };
  }

private:
  struct watched_run {
    watch_batch what;
    scheduling::run_watch watch;
    std::optional<instant> armed = {}; // when look_due comes
  };

  // ---- runs ----

  void watch(const watch_batch& what) {
    const auto [found, added] =
        watched_.try_emplace(what.batch, watched_run{what, {what.type->watch, what.type->metric_rules, what.started}});
    if (added)
      look(what.batch, found->second);
  }

  void sign(const batch_sign& what) {
    const auto found = watched_.find(what.batch);
    if (found == watched_.end())
      return;
    if (what.how_far) {
      found->second.watch.progressed(*what.how_far, what.at);
      look(what.batch, found->second); // a metric may have broken its rule
    } else {
      found->second.watch.sign_of_life(what.at);
    }
  }

  void look(batch_id batch, watched_run& run) {
    if (const auto printed = last_output(batch))
      run.watch.sign_of_life(*printed);
    const auto now = wall_clock_now();
    for (const auto& found : run.watch.look(now))
      act(batch, run, found, now);
    const auto next = run.watch.next_look();
    if (!next || (run.armed && *run.armed <= *next && *run.armed > now))
      return;
    const auto wait = std::clamp<duration>(*next - now, timer_min, timer_max);
    run.armed = now + wait;
    send_later(self_, wait, look_due{batch});
  }

  [[nodiscard]] std::optional<instant> last_output(batch_id batch) const {
    const auto printed = parts_.control->last_output(batch);
    return printed && *printed <= wall_clock_now() ? printed : std::nullopt;
  }

  void act(batch_id batch, const watched_run& run, const scheduling::finding& found, instant now) {
    spdlog::warn("batch {}: {} ({})", batch.value, found.why, found.rule);
    json evidence{{"rule", found.rule}, {"why", found.why}, {"action", config::to_string(found.action)}};
    send(self_, parts_.queue, batch_noted{batch, {}, {note_kind::warned, now, std::move(evidence)}});
    if (auto reason = scheduling::reason_to_stop(found))
      send(self_, run.what.executor, stop_batch{batch, std::move(*reason)});
  }

  // ---- devices and disk ----

  void check_machine() {
    if (std::any_of(parts_.devices.begin(), parts_.devices.end(), [](const device& d) { return d.kind == device_kind::gpu; }))
      check_devices(parts_.read_devices());
    check_disk();
    send_later(self_, machine_pause, check_machine_due{});
  }

  void check_devices(const std::vector<device_reading>& readings) {
    const auto now = wall_clock_now();
    for (std::size_t i = 0; i < std::min(readings.size(), parts_.devices.size()); ++i) {
      const auto& reading = readings[i];
      const auto& id = parts_.devices[i].id;
      if (auto changed = health_[i].read(reading))
        send(self_, parts_.queue, device_state{id, std::move(*changed)});
      note_foreign_memory(id, reading);
      for (auto& [batch, run] : watched_)
        if (run.what.device == id) {
          run.watch.gpu_used(reading, now);
          look(batch, run);
        }
    }
  }

  void note_foreign_memory(const std::string& device, const device_reading& reading) {
    const auto mib = scheduling::memory_taken_by_others(reading, parts_.gpu_reserve_mib);
    auto& told = memory_taken_[device];
    if (mib == told)
      return;
    spdlog::info("other programs take {} MiB of {} beyond what is kept free for them", mib, device);
    told = mib;
    send(self_, parts_.queue, memory_taken{device, mib});
  }

  void check_disk() {
    std::error_code unreadable;
    const auto space = std::filesystem::space(parts_.data_dir, unreadable);
    const auto free_mib = static_cast<std::int64_t>(space.available >> 20U);
    const bool full = !unreadable && free_mib < parts_.free_mib_min;
    if (full == disk_full_)
      return;
    disk_full_ = full;
    const std::string trouble = "the disk is nearly full: " + std::to_string(free_mib) + " MiB are free, storage.free_mib_min is " +
                                std::to_string(parts_.free_mib_min);
    if (full)
      spdlog::error("nothing is started: {}", trouble);
    else
      spdlog::info("there is room on the disk again");
    send(self_, parts_.queue, disk_state{full ? trouble : std::string()});
  }

  // ---- the books ----

  void audit() {
    request(self_, parts_.queue, caf::infinite, read_running{}).then([this](const running_books& books) {
      request(self_, parts_.history, caf::infinite, find_running{}).then([this, books](const result<batch_ids>& stored) {
        if (stored)
          compare(books, *stored);
        send_later(self_, parts_.audit_interval, audit_due{});
      });
    });
  }

  void compare(const running_books& memory, const batch_ids& stored) {
    scheduling::run_books now;
    now.on_disk.insert(stored.begin(), stored.end());
    now.in_memory.insert(memory.known.begin(), memory.known.end());
    now.expected.insert(memory.expected.begin(), memory.expected.end());
    for (const auto& [batch, pids] : parts_.control->find_processes())
      now.alive.insert(batch);
    for (const batch_id batch : now.expected)
      if (parts_.control->is_supervised(batch))
        now.alive.insert(batch);
    const auto repairs = scheduling::compare_books(books_, now);
    books_ = std::move(now);
    for (const batch_id stray : repairs.strays) {
      spdlog::error("processes of batch {} live, and nothing knows of it: ending them", stray.value);
      if (auto ended = parts_.control->end_survivors(stray); !ended)
        spdlog::error("{}", to_string(ended.error()));
    }
    end_stray_workers();
    if (!repairs.differences.empty()) {
      spdlog::error("the books differ: {}; reading everything from disk again", repairs.differences);
      self_->quit(caf::make_error(caf::sec::runtime_error, "the books differ"));
    }
  }

  // Twice in a row: one may just be starting.
  void end_stray_workers() {
    std::set<worker_id> strays;
    for (const auto& [worker, pids] : parts_.control->find_worker_processes())
      if (!parts_.control->is_known(worker))
        strays.insert(worker);
    for (const worker_id stray : strays)
      if (stray_workers_.contains(stray)) {
        spdlog::error("processes of worker {} live, and nothing knows of it: ending them", stray.value);
        if (auto buried = parts_.control->bury_worker(stray); !buried)
          spdlog::error("{}", to_string(buried.error()));
      }
    stray_workers_ = std::move(strays);
  }

  handle::pointer self_;
  watchdog_parts parts_;
  std::unordered_map<batch_id, watched_run> watched_;
  std::vector<scheduling::device_health> health_;
  std::unordered_map<std::string, std::int64_t> memory_taken_; // as the queue knows it, by device
  bool disk_full_ = false;
  scheduling::run_books books_;
  std::set<worker_id> stray_workers_;
};

} // namespace

watchdog_actor spawn_watchdog(caf::actor_system& system, watchdog_parts parts) {
  return spawn<watchdog_state, caf::detached>(system, std::move(parts));
}

} // namespace ferry::actors
