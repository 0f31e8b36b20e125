#include "scheduling/company.hpp"

#include "scheduling/batch_traits.hpp"

#include <algorithm>
#include <set>

namespace ferry::scheduling {
namespace {

class company {
public:
  company(const candidate& head, std::int64_t memory_free_mib)
      : members_{&head}, items_(head.job.items), memory_free_mib_(memory_free_mib) {}

  void offer(const candidate& c) {
    if (!may_join(c))
      return;
    members_.push_back(&c);
    items_ += c.job.items;
  }
  [[nodiscard]] std::vector<const candidate*> take() { return std::move(members_); }

  // How much time of the device it saves; all have estimates.
  [[nodiscard]] double saved_ms() const {
    double sum = 0, longest = 0;
    for (const candidate* one : members_) {
      const auto alone = static_cast<double>(one->estimate->count());
      sum += alone;
      longest = std::max(longest, alone);
    }
    return sum - longest * (1 + members_.front()->marginal * static_cast<double>(members_.size() - 1));
  }

private:
  [[nodiscard]] bool may_join(const candidate& c) const {
    const candidate& head = *members_.front();
    const auto& rules = *head.batching;
    const int items = items_ + c.job.items;
    if ((c.job.batch_max > 0) != (head.job.batch_max > 0) || items > std::min(rules.max_items, head.items_max) ||
        head.needs.memory_mib + std::int64_t{items - head.job.items} * rules.memory_mib_per_item > memory_free_mib_)
      return false;
    return std::all_of(members_.begin(), members_.end(), [&](const candidate* other) {
      const auto apart = std::chrono::abs(c.job.created - other->job.created);
      const auto most = static_cast<std::size_t>(std::min(c.job.batch_max, other->job.batch_max));
      return may_share(rules, c.tolerated, other->tolerated) && (rules.window.count() == 0 || apart <= rules.window) &&
             (most == 0 || members_.size() < most);
    });
  }

  std::vector<const candidate*> members_;
  int items_;
  std::int64_t memory_free_mib_;
};

} // namespace

std::vector<const candidate*> choose_company(const candidate& head, std::span<const candidate> behind,
                                             std::int64_t memory_free_mib) {
  if (!head.batching || head.batching->max_items <= 1 || head.job.batch_max == 1)
    return {&head};
  std::vector<const candidate*> looked_at;
  bool all_known = head.estimate.has_value();
  for (const candidate& c : behind) {
    if (c.job.group != head.job.group)
      continue;
    looked_at.push_back(&c);
    all_known = all_known && c.estimate;
    if (looked_at.size() == looked_at_max)
      break;
  }
  if (!all_known) {
    company whole(head, memory_free_mib);
    for (const candidate* c : looked_at)
      whole.offer(*c);
    return whole.take();
  }
  std::set<duration> lengths{*head.estimate};
  for (const candidate* c : looked_at)
    if (*c->estimate > *head.estimate)
      lengths.insert(*c->estimate);
  company best(head, memory_free_mib);
  double most_saved = 0;
  for (const duration longest : lengths) {
    company some(head, memory_free_mib);
    for (const candidate* c : looked_at)
      if (*c->estimate <= longest)
        some.offer(*c);
    if (const double saved = some.saved_ms(); saved > most_saved + 1e-6) {
      most_saved = saved;
      best = std::move(some);
    }
  }
  return best.take();
}

} // namespace ferry::scheduling
