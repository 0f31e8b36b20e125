// The groups that queued jobs fall into: jobs of one type that agree in everything that must be equal to share a batch and a
// worker. Each type has a group of its own for jobs without traits; its number is that of the type.
#pragma once

#include "config/job_type.hpp"
#include "scheduling/batch_traits.hpp"
#include "scheduling/job_queue.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ferry::scheduling {

// What a worker is and has loaded, as a number: a fingerprint of its type (worker_identity) and of its warm_key parameters.
[[nodiscard]] std::uint64_t warm_number(const std::string& type, const std::string& warm);

// All of a type's declaration that its workers are started with: one that was started with another is not relied on. Of a type
// without workers its name.
[[nodiscard]] std::string worker_identity(const config::job_type& type);

class batch_groups {
public:
  struct group {
    type_index type = 0;
    std::uint64_t warm = 0;                         // warm_number
    std::uint64_t cost_key = 0;                     // batch_key, of those that have traits
    std::string loads;                              // batch_traits::warm
    std::shared_ptr<const device_selector> on = {}; // where its jobs may run; null: anywhere
  };

  // `type_identities`: of all types by index, as worker_identity has them.
  explicit batch_groups(std::vector<std::string> type_identities);

  // Jobs that ask for different devices share nothing.
  [[nodiscard]] group_index find_or_add(type_index type, const batch_traits& traits, const device_selector& on = {});
  [[nodiscard]] const group& at(group_index index) const { return groups_.at(index); }
  [[nodiscard]] std::size_t size() const { return groups_.size() - free_.size(); }

  // Time to forget: more than twice as many as were in use last time.
  [[nodiscard]] bool is_crowded() const { return size() > crowded_at_; }
  // While what this returns lives, the groups of these jobs are in use: the jobs are on their way to the disk.
  [[nodiscard]] std::shared_ptr<void> pin(std::vector<group_index> of);
  // Forgets the groups that are neither in use nor pinned; their numbers are given to others.
  void forget_unused(const std::function<bool(group_index)>& is_used);

private:
  std::vector<std::string> type_identities_;
  std::vector<group> groups_;
  std::vector<group_index> free_;
  std::map<std::pair<type_index, std::string>, group_index> by_key_;
  std::shared_ptr<std::multiset<group_index>> pinned_ = std::make_shared<std::multiset<group_index>>();
  std::size_t crowded_at_;
};

} // namespace ferry::scheduling
