// The queue: the live jobs, their order, and what runs; the only source of truth. It answers commands once their fact is on disk,
// hands candidates to the optimizer, and starts what the optimizer chose.
#pragma once

#include "actors/event_board.hpp"
#include "actors/interfaces.hpp"

#include "scheduling/batch_groups.hpp"
#include "scheduling/fair_share.hpp"
#include "scheduling/named_groups.hpp"
#include "scheduling/needs.hpp"
#include "scheduling/promise_book.hpp"
#include "scheduling/queued_estimates.hpp"
#include "scheduling/type_knowledge.hpp"
#include "scheduling/users.hpp"
#include <filesystem>
#include <functional>
#include <memory>

#include <string>
#include <unordered_map>
#include <vector>

namespace ferry::actors {

// What the restored store knew of a batch that was running, after reconciliation decided to follow or harvest it.
struct restored_batch {
  batch_id id;
  std::string device;
  scheduling::type_index type = 0;
  std::vector<scheduling::queued_job> jobs;
  instant started{};
};

// Everything the queue begins with.
struct queue_start {
  std::shared_ptr<const config::settings> settings;
  std::vector<device> devices;
  std::shared_ptr<status_board> board;
  std::shared_ptr<event_board> events;
  std::vector<std::string> type_names; // by type_index; the configured ones first, in their order
  scheduling::job_queue jobs;
  scheduling::need_book needs;
  scheduling::batch_groups groups{{}};
  scheduling::named_groups named;
  scheduling::user_book users;
  scheduling::fair_share share;
  std::unordered_map<std::string, job_id> unique_keys;       // of queued and running jobs
  std::vector<job_id> to_cancel;                             // an earlier daemon was asked to, and could not carry it out
  std::vector<scheduling::type_knowledge> knowledge;         // by type_index
  std::unordered_map<job_id, std::vector<double>> tolerated; // as batch_traits has them
  scheduling::queued_estimates estimates;                    // of the jobs
  scheduling::promise_book promises;
  std::vector<restored_batch> running;
  job_id last_job;
  std::int64_t last_order_key = 0;
  bool paused = false;
  std::map<scheduling::type_index, std::string> held_types; // with the reason
  std::int64_t completed = 0, failed = 0, cancelled = 0;
  std::function<std::filesystem::path(batch_id)> run_directory;
};

[[nodiscard]] queue_actor spawn_queue(caf::actor_system& system, storage_actor storage, history_actor history,
                                      std::shared_ptr<queue_start> start);

} // namespace ferry::actors
