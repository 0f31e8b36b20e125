// "Why does it wait?", answered from the same values that decide. Pure.
#pragma once

#include "config/job_type.hpp"
#include "model/device.hpp"
#include "scheduling/device_ledger.hpp"
#include "scheduling/job_queue.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ferry::scheduling {

struct queue_conditions {
  bool paused = false;
  const std::string* type_held = nullptr;         // why its type is held; null: it is not
  const std::string* held_for = nullptr;          // why the job is held; null or empty: a user wished it
  std::optional<instant> not_before = {};         // of a delayed job
  std::string needs = {};                         // what it needs that has not ended, in words; empty: nothing
  std::string group = {};                         // why no job of its group starts; empty: they do
  std::string device_trouble = {};                // why each device that it could go to is out of service; empty: not so
  std::shared_ptr<const device_selector> on = {}; // where the job may run; null: anywhere
  std::string trouble = {};                       // why nothing can be started at the moment; empty: no trouble
};

// Why none of the devices that could take `needs` works; empty: one does. `trouble`: by device id, why it is out of service.
[[nodiscard]] std::string trouble_of_all(const std::vector<device>& devices, const std::map<std::string, std::string>& trouble,
                                         const demand& needs);

// One short phrase for a queued job. `type` is null when the configuration no longer has it.
[[nodiscard]] std::string why_waiting(const queued_job& job, std::optional<std::size_t> position, const config::job_type* type,
                                      const std::vector<device>& devices, const queue_conditions& conditions);

} // namespace ferry::scheduling
