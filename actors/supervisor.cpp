#include "actors/supervisor.hpp"

#include "actors/batch_optimizer_actor.hpp"
#include "actors/forecaster_actor.hpp"
#include "actors/gpu_executor_actor.hpp"
#include "actors/node_hub_actor.hpp"
#include "actors/queue_actor.hpp"
#include "actors/restore.hpp"
#include "actors/slurm_executor_actor.hpp"
#include "actors/slurm_gate_actor.hpp"
#include "actors/storage_actor.hpp"
#include "actors/watchdog_actor.hpp"
#include "config/limits.hpp"
#include "remote/messages.hpp"

#include <algorithm>
#include <atomic>
#include <caf/scoped_actor.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <spdlog/spdlog.h>
#include <thread>

namespace ferry::actors {

using namespace std::chrono_literals;

void register_messages() {
  caf::init_global_meta_objects<caf::id_block::ferry>();
  remote::register_messages();
  caf::core::init_global_meta_objects();
}

namespace {

bool is_lent(const device& d) { return !node_of(d.id).empty(); }

// The actors that live and die together.
struct generation {
  std::shared_ptr<const actor_handles> handles;
  std::shared_ptr<std::atomic<bool>> store_closed; // set once the store has let go of its lock
  std::shared_ptr<std::atomic<bool>> ending = std::make_shared<std::atomic<bool>>(false); // nobody waits for anything any more
  std::vector<std::pair<std::string, caf::actor>> all;                                    // by name
};

} // namespace

struct supervisor::implementation {
  caf::actor_system& system;
  daemon_parts parts;
  std::function<void()> on_gave_up;

  mutable std::mutex mutex;
  std::condition_variable wake;
  std::shared_ptr<const actor_handles> published; // null during a restart
  int number = 0;                                 // of the current generation
  std::size_t alive = 0;                          // actors of the current generation
  std::string crash;                              // why the current generation is to be replaced; empty: it is well
  bool devices_changed = false;                   // it is to be replaced for that, which is no crash
  bool stopping = false;
  int restarts = 0;

  generation current;
  std::shared_ptr<remote::known_nodes> nodes;
  const std::shared_ptr<event_board> events = std::make_shared<event_board>();
  std::thread keeper;

  implementation(caf::actor_system& s, daemon_parts p, std::function<void()> gave_up)
      : system(s), parts(std::move(p)), on_gave_up(std::move(gave_up)) {}

  result<generation> spawn_all();
  void watch(const generation& made);
  void end(const generation& old);
  void commit_and_close(const generation& old);
  void take_in_devices();
  [[nodiscard]] scheduling::node_rules node_rules() const;
  void keep();
};

result<generation> supervisor::implementation::spawn_all() {
  auto store = storage::job_store::open(parts.settings->storage.data_dir, parts.settings->storage.durability,
                                        parts.settings->storage.check_at_start);
  if (!store)
    return fail(store.error());
  auto reader = storage::job_reader::open(parts.settings->storage.data_dir);
  if (!reader)
    return fail(reader.error());
  const auto router = std::make_shared<run_router>();
  const auto control = std::make_shared<runners::run_control>(
      parts.settings->storage.data_dir / "runs", parts.shim, parts.settings->runs.shims_ready,
      [router](runners::run_control::report what) { router->deliver(std::move(what)); });
  control->sweep();
  auto devices = parts.devices;
  for (device& lent : nodes->devices())
    devices.push_back(std::move(lent));
  if (parts.settings->devices.slurm.is_on())
    devices.push_back(slurm_device_of(*parts.settings));
  auto state = restore_state(**store, *control, parts.settings, devices);
  if (!state)
    return fail(state.error());
  // By value: the queue must not keep `control` alive beyond the executors.
  state->queue->run_directory = [runs = parts.settings->storage.data_dir / "runs"](batch_id id) { return runs / to_string(id); };

  scheduling::device_ledger ledger(devices);
  for (const device& d : devices)
    if (const auto node = node_of(d.id); !node.empty())
      ledger.set_out_of_service(d.id, "node " + std::string(node) + " is not connected");
  ledger.set_out_of_service(std::string(slurm_device), slurm_not_asked);
  auto homes = devices;
  // A device that is no longer configured still needs somebody who follows what runs there.
  const auto add_home = [&](const std::string& id) {
    if (std::none_of(homes.begin(), homes.end(), [&](const device& d) { return d.id == id; }))
      homes.push_back({.id = id, .slots = 0});
  };
  for (const auto& worker : state->workers) {
    ledger.add_worker(worker);
    add_home(worker.device);
  }
  for (const auto& [batch, lease] : state->leases) {
    ledger.grant(batch, lease);
    add_home(lease.device);
  }

  generation made;
  made.store_closed = std::make_shared<std::atomic<bool>>(false);
  const std::shared_ptr<storage::job_store> shared_store(store->release(), [closed = made.store_closed](storage::job_store* one) {
    delete one;
    *closed = true;
  });
  actor_handles h;
  h.storage = spawn_storage(system, shared_store);
  h.history = spawn_history(system, std::move(*reader));
  const auto board = std::make_shared<status_board>();
  h.board = board;
  state->queue->board = board;
  state->queue->events = events;
  h.queue = spawn_queue(system, h.storage, h.history, state->queue);
  h.optimizer = spawn_batch_optimizer(system, h.queue, std::move(ledger), state->last_batch, parts.settings, board);
  h.watchdog = spawn_watchdog(system, {.queue = h.queue,
                                       .history = h.history,
                                       .devices = parts.devices,
                                       .read_devices = parts.read_devices,
                                       .control = control,
                                       .data_dir = parts.settings->storage.data_dir,
                                       .free_mib_min = parts.settings->storage.free_mib_min,
                                       .gpu_reserve_mib = parts.settings->devices.gpu.memory_reserve_mib,
                                       .audit_interval = parts.settings->runs.audit_interval});
  h.forecaster = spawn_forecaster(system);
  h.nodes = spawn_node_hub(system, {.queue = h.queue,
                                    .optimizer = h.optimizer,
                                    .watchdog = h.watchdog,
                                    .nodes = nodes,
                                    .runs = parts.settings->storage.data_dir / "runs",
                                    .shared = parts.settings->paths.shared,
                                    .rules = node_rules(),
                                    .heartbeat = parts.settings->node.heartbeat,
                                    .on_change = [this] { take_in_devices(); }});
  slurm_gate_actor gate;
  for (const device& d : homes)
    if (is_lent(d)) {
      h.executors.emplace(d.id, h.nodes);
    } else if (d.id == slurm_device) {
      gate = spawn_slurm_gate(system, parts.settings->devices.slurm, made.ending);
      h.executors.emplace(d.id, spawn_slurm_executor(system, {.on = d,
                                                              .where = parts.settings->devices.slurm,
                                                              .data_dir = parts.settings->storage.data_dir,
                                                              .shim = parts.shim,
                                                              .control = control,
                                                              .gate = gate,
                                                              .queue = h.queue,
                                                              .optimizer = h.optimizer,
                                                              .watchdog = h.watchdog}));
    } else {
      h.executors.emplace(d.id, spawn_gpu_executor(system, {d, control, router, h.queue, h.optimizer, h.watchdog}));
    }
  for (const auto& worker : state->workers)
    post(h.executors.at(worker.device), adopt_worker{worker.id});
  const auto add = [&](std::string name, const auto& handle) {
    made.all.emplace_back(std::move(name), caf::actor_cast<caf::actor>(handle));
  };
  add("queue", h.queue);
  add("batch_optimizer", h.optimizer);
  add("watchdog", h.watchdog);
  add("forecaster", h.forecaster);
  for (const device& d : homes)
    if (!is_lent(d))
      add("gpu_executor of " + d.id, h.executors.at(d.id));
  add("node_hub", h.nodes);
  if (gate)
    add("slurm_gate", gate);
  add("history", h.history);
  add("storage", h.storage);
  made.handles = std::make_shared<const actor_handles>(std::move(h));
  return made;
}

void supervisor::implementation::watch(const generation& made) {
  {
    const std::lock_guard lock(mutex);
    ++number;
    alive = made.all.size();
    crash.clear();
    published = made.handles;
  }
  for (const auto& [actor_name, one] : made.all)
    on_exit(one, [this, of = number, name = actor_name](const caf::error& why) {
      const std::lock_guard lock(mutex);
      if (of != number)
        return;
      --alive;
      if (crash.empty())
        crash = name + ": " + to_string(why);
      wake.notify_all();
    });
  const auto& h = *made.handles;
  post(h.queue, begin_work{h.optimizer, h.executors, h.watchdog, h.forecaster});
  post(h.nodes, nodes_due{}); // the queue knows whom it works with when it hears of them
}

// Ends every actor and waits until nothing holds the store: the next generation needs its lock.
void supervisor::implementation::end(const generation& old) {
  *old.ending = true;
  for (const auto& [name, one] : old.all)
    caf::anon_send_exit(one, caf::exit_reason::kill);
  std::unique_lock lock(mutex);
  wake.wait(lock, [this] { return alive == 0; });
  while (!*old.store_closed)
    wake.wait_for(lock, 1ms);
}

// What has arrived is committed before the actors end; the queue goes first, so that nothing new comes.
void supervisor::implementation::commit_and_close(const generation& old) {
  const auto& h = *old.handles;
  caf::anon_send_exit(h.queue, caf::exit_reason::user_shutdown);
  caf::scoped_actor self(system);
  self->request(h.storage, caf::infinite, close_store{}).receive([](done) {}, [](const caf::error&) {});
}

void supervisor::implementation::take_in_devices() {
  const std::lock_guard lock(mutex);
  devices_changed = true;
  wake.notify_all();
}

scheduling::node_rules supervisor::implementation::node_rules() const {
  const auto& rules = parts.settings->node;
  return {.silent_after = rules.heartbeat + rules.silent_after, .lease = rules.lease};
}

void supervisor::implementation::keep() {
  std::deque<std::chrono::steady_clock::time_point> recent;
  for (;;) {
    bool is_crash = false;
    {
      std::unique_lock lock(mutex);
      wake.wait(lock, [this] { return stopping || devices_changed || !crash.empty(); });
      published.reset();
      if (stopping)
        break;
      is_crash = !crash.empty();
      devices_changed = false;
      if (is_crash) {
        spdlog::error("an actor crashed ({}): restarting all from what is stored", crash);
        ++restarts;
      }
    }
    if (!is_crash)
      commit_and_close(current);
    end(current);
    current = {};
    const auto now = std::chrono::steady_clock::now();
    if (is_crash || recent.empty())
      recent.push_back(now);
    while (now - recent.front() > std::chrono::seconds(limits::restart_window_seconds))
      recent.pop_front();
    auto made = recent.size() > limits::restarts_max ? result<generation>(fail(error_code::internal, "actors crash too often"))
                                                     : spawn_all();
    if (!made) {
      spdlog::critical("giving up: {}", to_string(made.error()));
      on_gave_up();
      return;
    }
    current = std::move(*made);
    watch(current);
    events->restarted("the daemon restarted a part of itself");
  }
  commit_and_close(current);
  end(current);
  current = {};
}

result<std::unique_ptr<supervisor>> supervisor::start(caf::actor_system& system, daemon_parts parts,
                                                      std::function<void()> on_gave_up) {
  auto impl = std::make_unique<implementation>(system, std::move(parts), std::move(on_gave_up));
  auto nodes = remote::known_nodes::open(impl->parts.settings->storage.data_dir / "nodes.json");
  if (!nodes)
    return fail(nodes.error());
  impl->nodes = std::move(*nodes);
  auto made = impl->spawn_all();
  if (!made)
    return fail(made.error());
  impl->current = std::move(*made);
  impl->watch(impl->current);
  impl->keeper = std::thread([raw = impl.get()] { raw->keep(); });
  return std::unique_ptr<supervisor>(new supervisor(std::move(impl)));
}

supervisor::supervisor(std::unique_ptr<implementation> impl) : impl_(std::move(impl)) {}

supervisor::~supervisor() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->wake.notify_all();
  }
  impl_->keeper.join();
}

std::shared_ptr<const actor_handles> supervisor::handles() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->published;
}

std::shared_ptr<event_board> supervisor::events() const { return impl_->events; }

int supervisor::restarts() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->restarts;
}

} // namespace ferry::actors
