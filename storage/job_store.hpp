// The job store: facts in, jobs out. One connection that writes (this class, used by one thread) and any number that read
// (job_reader). SQLite in WAL mode; the file is <data_dir>/ferry.db and <data_dir>/ferry.lock names its one owner.
//
// Promises: a group of facts is stored whole or not at all (P1, P2); every schema version ever shipped opens (P10); a file that is
// damaged, locked by another daemon or newer than this program is told apart and said plainly.
#pragma once

#include "config/settings.hpp"
#include "model/facts.hpp"
#include "scheduling/named_groups.hpp"
#include "scheduling/needs.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace ferry::storage {

// What decides about a live job, and nothing else: streamed into the queue at start.
struct live_job {
  job_id id;
  std::string_view type; // valid during the visit
  int priority = 0;
  std::int64_t order_key = 0;
  bool held = false;
  int attempts = 0;
  int retries = 0;
  int start_crashes = 0;
  std::optional<instant> not_before = {};
  instant created{};
  int batch_max = 0; // as attempt_ended has it
  std::optional<needs_rule> on_needs_failure = {};
  std::span<const scheduling::needed_job> needs = {}; // ascending; valid during the visit
  bool was_started = false;                           // of one that needs others: it waits for them no more
  std::string_view group = {};                        // empty: none; valid during the visit
  instant waits_since{};                              // could start, but for a hold and `not_before`
  std::string_view user = {};                         // empty: not known; valid during the visit
  int items_done = 0, items_max = 0;                  // as attempt_ended has them
};

struct running_batch {
  batch_id id;
  std::string device;
  std::string type; // all its jobs are of one type
  instant started{};
  struct member {
    job_id id;
    int priority = 0;
    std::int64_t order_key = 0;
    bool held = false;
    int attempts = 0;
    int retries = 0;
    int start_crashes = 0;
    instant created{};
    int batch_max = 0;
    std::string group = {}; // empty: none
    instant waits_since{};  // before it started
    std::string user = {};  // empty: not known
    int items_max = 0;
    job_part part = {}; // that it runs
  };
  std::vector<member> jobs;
};

struct restored {
  job_id last_job; // highest ids ever given
  batch_id last_batch;
  std::int64_t last_order_key = 0;
  bool paused = false;
  std::vector<running_batch> running;                            // that have not ended, also those whose jobs have all finished
  std::map<std::string, std::string> held_types;                 // with the reason
  std::map<std::string, std::string> learned = {};               // JSON, by what it is about
  std::map<std::string, scheduling::group_settings> groups = {}; // those that anything was set of
  std::unordered_map<std::string, job_id> unique_keys = {};      // of the queued and the running jobs
  std::unordered_map<job_id, device_selector> selectors = {};    // of those of them that ask for certain devices
  std::vector<job_id> to_cancel = {};                            // that were asked to be, while they ran, and have not ended yet
  // Jobs that are in these states, cleared or not, for the counters of `ferry status`.
  std::int64_t completed = 0, failed = 0, cancelled = 0;
};

// A submit that carries an idempotency key.
struct submission {
  std::string key;            // empty: none
  std::string request_digest; // tells the same request from another one under the same key
  // What it is answered with, where not every job in that is one of the facts; and when.
  std::vector<job_id> answered = {};
  instant at{};
};

struct append_outcome {
  // The jobs that an earlier submit with the same key made. When set, nothing of this group was stored.
  std::vector<job_id> already_submitted;
};

// What an attempt begins with.
struct job_start {
  std::string params;                       // JSON text
  std::vector<checkpoint> checkpoints = {}; // that it could continue from, the newest first
  job_part part = {};                       // that `params` are of; the store gives those of the whole job
};

class job_store {
public:
  // Creates the folder (0700) and the file when missing, takes the lock, migrates, checks.
  // Errors: locked, damaged, newer_version, disk_full, io.
  [[nodiscard]] static result<std::unique_ptr<job_store>> open(const std::filesystem::path& data_dir, config::durability durability,
                                                               bool full_check);
  ~job_store();

  // Calls `visit` for each queued job in order (held last, priority descending, order key ascending); 1,000,000 in about a second.
  [[nodiscard]] result<restored> restore(const std::function<void(const live_job&)>& visit);

  // A transaction spans begin … commit; nothing is durable before commit returns. apply() outside of one begins it.
  // An error of apply() undoes that call's own facts only (savepoint); an error of commit() undoes all since begin.
  // Where SQLite itself gave up the whole transaction (a disk that filled in its middle, a read that failed), every later apply()
  // and the commit() fail with that error; after commit() the store can be used again.
  // A group that commit() refused with io is gone for this store, but one that opens the file later may find it there: whole.
  // A retried job comes back unheld. Clearing a cleared job, or ending a batch that was requeued, changes nothing.
  // Errors: conflict (idempotency key used for another request), internal (a fact that contradicts what is stored: a job that is
  // not in a state for it, an id used twice), disk_full, io, damaged.
  [[nodiscard]] result<append_outcome> apply(const std::vector<fact>& facts, const submission& from = {});
  [[nodiscard]] result<void> commit();
  [[nodiscard]] bool in_transaction() const;

  // What jobs are started with, in the order asked; sees uncommitted facts. Errors: not_found, disk_full, io.
  [[nodiscard]] result<std::vector<job_start>> read_starts(const std::vector<job_id>& jobs);

  // The parameters of jobs, as JSON text, in the order asked. Errors: as above.
  [[nodiscard]] result<std::vector<std::string>> read_params(const std::vector<job_id>& jobs);

private:
  struct implementation;
  explicit job_store(std::unique_ptr<implementation> impl);
  std::unique_ptr<implementation> impl_;
};

} // namespace ferry::storage
