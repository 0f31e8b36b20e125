#include "scheduling/batch_groups.hpp"

#include "scheduling/admission.hpp"
#include "scheduling/batch_cost.hpp"
#include "scheduling/fingerprint.hpp"

namespace ferry::scheduling {
namespace {

constexpr std::size_t crowd_min = 1'000;

} // namespace

std::uint64_t warm_number(const std::string& type, const std::string& warm) { return fingerprint().add(type).add(warm).value(); }

std::string worker_identity(const config::job_type& type) {
  if (type.runner != config::runner_kind::worker)
    return type.name;
  json all = {
      type.name, type.command, type.shell, type.threads, type.environment, type.inherit_environment, type.config_dir.string()};
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

batch_groups::batch_groups(std::vector<std::string> type_identities)
    : type_identities_(std::move(type_identities)), crowded_at_(type_identities_.size() + crowd_min) {
  for (std::size_t i = 0; i < type_identities_.size(); ++i)
    groups_.push_back({.type = static_cast<type_index>(i), .warm = warm_number(type_identities_[i], "{}"), .loads = "{}"});
}

group_index batch_groups::find_or_add(type_index type, const batch_traits& traits, const device_selector& on) {
  auto key = traits.warm + traits.exact;
  if (!on.is_empty())
    key += to_json(on).dump();
  const auto [found, added] = by_key_.try_emplace({type, std::move(key)}, 0);
  if (!added)
    return found->second;
  group made{type, warm_number(type_identities_.at(type), traits.warm), batch_key(traits), traits.warm, shared(on)};
  if (free_.empty()) {
    found->second = static_cast<group_index>(groups_.size());
    groups_.push_back(std::move(made));
  } else {
    found->second = free_.back();
    free_.pop_back();
    groups_.at(found->second) = std::move(made);
  }
  return found->second;
}

std::shared_ptr<void> batch_groups::pin(std::vector<group_index> of) {
  pinned_->insert(of.begin(), of.end());
  return std::shared_ptr<void>(nullptr, [pinned = pinned_, of = std::move(of)](void*) {
    for (const group_index one : of)
      pinned->erase(pinned->find(one));
  });
}

void batch_groups::forget_unused(const std::function<bool(group_index)>& is_used) {
  for (auto it = by_key_.begin(); it != by_key_.end();) {
    if (pinned_->contains(it->second) || is_used(it->second)) {
      ++it;
      continue;
    }
    free_.push_back(it->second);
    it = by_key_.erase(it);
  }
  crowded_at_ = 2 * size() + crowd_min;
}

} // namespace ferry::scheduling
