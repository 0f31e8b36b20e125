#include "scheduling/explain.hpp"

#include "scheduling/admission.hpp"

namespace ferry::scheduling {

std::string trouble_of_all(const std::vector<device>& devices, const std::map<std::string, std::string>& trouble,
                           const demand& needs) {
  const device_ledger empty(devices);
  std::string why;
  for (const auto& account : empty.accounts()) {
    if (!empty.suits(account, needs))
      continue;
    const auto found = trouble.find(account.owner.id);
    if (found == trouble.end())
      return {};
    why = "device " + account.owner.id + " is out of service: " + found->second;
  }
  return why;
}

std::string why_waiting(const queued_job& job, std::optional<std::size_t> position, const config::job_type* type,
                        const std::vector<device>& devices, const queue_conditions& conditions) {
  if (!conditions.needs.empty() && !job.held)
    return conditions.needs;
  if (job.held)
    return conditions.held_for && !conditions.held_for->empty() ? "it is held: " + *conditions.held_for : "it is held";
  if (!type)
    return "its type is no longer configured";
  if (const auto why = why_unplaceable(devices, demand_of(*type, 1, conditions.on)))
    return *why;
  if (conditions.type_held)
    return "its type is held: " + *conditions.type_held;
  if (conditions.not_before)
    return (job.tried ? "it is tried again at " : "it is not to start before ") + to_rfc3339(*conditions.not_before);
  if (conditions.paused)
    return "the queue is paused";
  if (!conditions.group.empty())
    return conditions.group;
  if (!conditions.device_trouble.empty())
    return conditions.device_trouble;
  if (!conditions.trouble.empty())
    return conditions.trouble;
  if (!position || *position <= 1)
    return "the next free slot";
  const auto ahead = *position - 1;
  return std::to_string(ahead) + (ahead == 1 ? " job before it" : " jobs before it");
}

} // namespace ferry::scheduling
