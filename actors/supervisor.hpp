// Starts the actors from what is stored, and starts them again when one crashes: the same path for a fresh start, a restart after
// kill -9 and a crash of one actor. All are replaced together (Erlang's one_for_all), because each one's memory is rebuilt from
// disk and run directories, and runs outlive them under their shims; only handles change, so ask handles() anew for each request.
#pragma once

#include "actors/event_board.hpp"
#include "actors/interfaces.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ferry::actors {

struct daemon_parts {
  std::shared_ptr<const config::settings> settings;
  std::vector<device> devices;                                    // of this machine
  std::filesystem::path shim;                                     // the ferry-shim program
  std::function<std::vector<device_reading>()> read_devices = {}; // in the order of `devices`; asked only where there is a GPU
};

// Whom to talk to. Copies are cheap; they go stale when actors are restarted, and requests to stale ones fail at once.
struct actor_handles {
  queue_actor queue;
  batch_optimizer_actor optimizer;
  history_actor history;
  storage_actor storage;
  std::map<std::string, gpu_executor_actor> executors;
  watchdog_actor watchdog;
  forecaster_actor forecaster;
  node_hub_actor nodes;
  std::shared_ptr<const status_board> board;
};

class supervisor {
public:
  // `on_gave_up` is called, on some thread, when actors crash more often than limits::restarts_max allows.
  // Errors: those of storage::job_store::open.
  [[nodiscard]] static result<std::unique_ptr<supervisor>> start(caf::actor_system& system, daemon_parts parts,
                                                                 std::function<void()> on_gave_up);
  // Stops: no new starts, everything committed; running jobs go on under their shims.
  ~supervisor();

  // Null while actors are being restarted: answer "unavailable".
  [[nodiscard]] std::shared_ptr<const actor_handles> handles() const;
  // What happens to jobs; one board for all that the supervisor starts.
  [[nodiscard]] std::shared_ptr<event_board> events() const;
  // How often the actors have been restarted.
  [[nodiscard]] int restarts() const;

private:
  struct implementation;
  explicit supervisor(std::unique_ptr<implementation> impl);
  std::unique_ptr<implementation> impl_;
};

// Must be called once, before the first actor_system exists.
void register_messages();

} // namespace ferry::actors
