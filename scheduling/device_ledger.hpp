// Which part of each device is leased to which batch. A pure value.
#pragma once

#include "config/job_type.hpp"
#include "model/device.hpp"
#include "model/device_selector.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"
#include "scheduling/job_queue.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::scheduling {

// What a batch takes of a device while it runs.
struct demand {
  config::device_choice device = config::device_choice::automatic;
  int slots = 1;
  std::int64_t memory_mib = 0;
  std::string_view type = {};                     // its name, which outlives this; empty: any device will do
  std::shared_ptr<const device_selector> on = {}; // that its user asked for; null: any

  [[nodiscard]] bool accepts(const ferry::device& d) const { return (type.empty() || d.runs(type)) && (!on || on->accepts(d)); }
};

// A batch's right to a share of a device.
struct lease {
  std::string device; // device::id
  int slots = 1;
  std::int64_t memory_mib = 0;
  worker_id worker = {};    // that runs it: the memory is then the worker's; none: a process of its own
  int tier = 0;             // of the batch's type
  bool preemptible = false; // a job of a higher tier may have it
  instant since{};
  std::optional<instant> ends = {}; // when it is expected to be over; nothing: nobody knows
  bool follows = false;             // its worker has another batch before it: until that is over it takes no slots
  bool goes_on = false;             // one of its jobs has parts to come, which are next
};

// When a lease will be over whose end was expected when it was granted: one that is overdue is expected to take as much longer as
// it is.
[[nodiscard]] instant expected_end_of(const lease& l, instant now);

// A worker on a device. It keeps its memory for as long as it lives, and takes slots only while it has a batch.
struct warm_worker {
  worker_id id;
  std::string device;
  type_index type = 0;
  std::uint64_t warm = 0; // what it has loaded: warm_number
  std::int64_t memory_mib = 0;
  batch_id busy_with = {};
  std::vector<batch_id> following = {}; // that it has been given as well, in order
  instant idle_since = {};
  bool is_leaving = false; // told to end: its memory is on its way

  [[nodiscard]] bool is_idle() const { return busy_with.is_none() && !is_leaving; }
};

class device_ledger {
public:
  struct account {
    device owner;
    int slots_used = 0;
    std::int64_t memory_leased_mib = 0;
    std::string out_of_service = {};   // why nothing is placed on it; empty: it works
    std::int64_t memory_taken_mib = 0; // by programs that are not ferry's, beyond what is kept free for such
    [[nodiscard]] int slots_free() const { return out_of_service.empty() ? owner.slots - slots_used : 0; }
    [[nodiscard]] std::int64_t memory_free_mib() const {
      const auto unleased = owner.memory_mib - memory_leased_mib;
      return unleased <= 0 ? unleased : std::max<std::int64_t>(0, unleased - memory_taken_mib);
    }
  };

  explicit device_ledger(std::vector<device> devices);

  [[nodiscard]] const std::vector<account>& accounts() const { return accounts_; }
  // Could it ever run on this device, were that empty?
  [[nodiscard]] bool suits(const account& a, const demand& d) const;
  [[nodiscard]] int slots_free() const;
  // Free ones, and those that a job of a higher tier could have.
  [[nodiscard]] int slots_on_offer() const;

  // A lease on a device that is not (or no longer) known is kept and counted nowhere. One that follows where there is nothing to
  // follow does not. False when the batch has one already.
  bool grant(batch_id batch, const lease& l);
  // Its worker, if it has one, is idle from now on, or goes on with what follows. False when the batch has none.
  bool release(batch_id batch, instant now);
  [[nodiscard]] std::optional<lease> find(batch_id batch) const;
  [[nodiscard]] const std::map<batch_id, lease>& leases() const { return leases_; }

  // ---- workers ----

  // False when there is one with that id.
  bool add_worker(const warm_worker& worker);
  // It is gone, and its memory free. False when there is none.
  bool remove_worker(worker_id id);
  // False when there is none.
  bool worker_leaves(worker_id id);
  [[nodiscard]] const std::map<worker_id, warm_worker>& workers() const { return workers_; }
  // An idle one on this device that has this loaded; the one that was used last. Null: none.
  [[nodiscard]] const warm_worker* find_idle(const account& a, std::uint64_t warm) const;
  // Which idle workers of a device have to end for so much memory to be free: those first that have been idle longest. Nothing:
  // that would not be enough.
  [[nodiscard]] std::optional<std::vector<worker_id>> make_room(const account& a, std::int64_t memory_mib) const;

  // Empty: back in service. False when there is no such device, or it is so already.
  bool set_out_of_service(const std::string& device, const std::string& why);
  // False when there is no such device, or so much is taken already.
  bool set_memory_taken(const std::string& device, std::int64_t mib);
  // The batch was told to give its device back: its room is on its way.
  void leaving(batch_id batch) { leaving_.insert(batch); }
  [[nodiscard]] bool is_leaving(batch_id batch) const { return leaving_.contains(batch); }

  // The first broken invariant in words, or nothing. Leases adopted after a change of configuration may exceed a device, which
  // is not an error: nothing new is placed there until they end.
  [[nodiscard]] std::optional<std::string> check_invariants() const;

private:
  void begin_next(warm_worker& worker, instant now);
  [[nodiscard]] account* account_of(const lease& l);

  std::vector<account> accounts_;
  std::map<batch_id, lease> leases_;
  std::set<batch_id> leaving_;
  std::map<worker_id, warm_worker> workers_;
  bool has_gpu_ = false;
};

// Why no device could ever run it, as one sentence with the bounds; nothing when one can.
[[nodiscard]] std::optional<std::string> why_unplaceable(const std::vector<device>& devices, const demand& d);

} // namespace ferry::scheduling
