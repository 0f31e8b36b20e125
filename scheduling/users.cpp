#include "scheduling/users.hpp"

#include "config/limits.hpp"
#include "scheduling/named_groups.hpp"

#include <algorithm>

namespace ferry::scheduling {
namespace {

constexpr int format_version = 1;
constexpr std::int64_t parts = 24;

} // namespace

user_book::user_book(config::fair_share_rules rules) : rules_(std::move(rules)), users_(1) { by_name_.emplace("", user_index{0}); }

double user_book::weight_of(const std::string& name) const {
  const auto found = rules_.weights.find(name);
  return found == rules_.weights.end() ? 1 : found->second;
}

double user_book::weight_of(user_index index, int lane) const {
  const auto found = rules_.tier_weights.find(std::to_string(lane));
  return at(index).weight * (found == rules_.tier_weights.end() ? 1 : found->second);
}

std::optional<user_index> user_book::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

result<user_index> user_book::find_or_add(const std::string& name, const is_queued& queued) {
  if (const auto found = find(name))
    return *found;
  if (users_.size() <= limits::users_max) {
    users_.push_back({.who = {.name = name, .weight = weight_of(name)}});
    return by_name_.emplace(name, static_cast<user_index>(users_.size() - 1)).first->second;
  }
  const auto used = [](const entry& one) {
    double sum = 0;
    for (const part& p : one.parts)
      sum += p.used.device_ms;
    return sum;
  };
  std::optional<user_index> idle;
  for (const auto& [known, index] : by_name_)
    if (index != 0 && queued && !has_jobs(index, queued) && (!idle || used(users_[index]) < used(users_[*idle])))
      idle = index;
  if (!idle)
    return fail(error_code::too_large,
                "there are jobs of " + std::to_string(limits::users_max) + " users already; no more can have any");
  by_name_.erase(users_[*idle].who.name);
  users_[*idle] = {.who = {.name = name, .weight = weight_of(name)}};
  by_name_.emplace(name, *idle);
  return *idle;
}

std::vector<user_index> user_book::all() const {
  std::vector<user_index> indices;
  for (const auto& [name, index] : by_name_)
    indices.push_back(index);
  return indices;
}

bool user_book::has_jobs(user_index index, const is_queued& queued) const {
  const user& who = users_.at(index).who;
  return who.running > 0 || who.arriving > 0 || (queued && queued(index));
}

duration user_book::part_length() const { return std::max<duration>(rules_.window / parts, duration{1}); }

std::int64_t user_book::part_at(instant when) const { return when.time_since_epoch() / part_length(); }

void user_book::count(user_index index, const use& more, instant now) {
  if (!shares())
    return;
  auto& kept = users_.at(index).parts;
  const auto number = part_at(now);
  std::erase_if(kept, [&](const part& p) { return p.number <= number - parts; });
  if (kept.empty() || kept.back().number < number) // a clock that was set back counts for the newest
    kept.push_back({.number = number, .used = {}});
  kept.back().used.device_ms += more.device_ms;
  kept.back().used.completed += more.completed;
}

user_book::use user_book::use_of(user_index index, instant now) const {
  use sum;
  const auto number = part_at(now);
  for (const part& p : users_.at(index).parts)
    if (p.number > number - parts) {
      sum.device_ms += p.used.device_ms;
      sum.completed += p.used.completed;
    }
  return sum;
}

std::optional<double> user_book::least_use(const is_queued& queued, instant now) const {
  std::optional<double> least;
  for (const auto& [name, index] : by_name_)
    if (has_jobs(index, queued)) {
      const double used = use_of(index, now).device_ms / users_[index].who.weight;
      least = std::min(least.value_or(used), used);
    }
  return least;
}

json user_book::to_json(instant now) const {
  json users = json::array();
  for (const entry& one : users_) {
    json list = json::array();
    for (const part& p : one.parts)
      if (p.number > part_at(now) - parts)
        list.push_back({p.number, p.used.device_ms, p.used.completed});
    if (!list.empty())
      users.push_back({{"name", one.who.name}, {"parts", std::move(list)}});
  }
  return {{"version", format_version}, {"part_ms", part_length().count()}, {"users", std::move(users)}};
}

result<void> user_book::restore(const json& stored) {
  struct one_part {
    std::string user;
    use used;
    instant at;
  };
  std::vector<one_part> read;
  try {
    if (stored.at("version").get<int>() > format_version)
      return fail(error_code::newer_version, "what users used of the devices was written by a newer ferry");
    const auto length = std::max<std::int64_t>(stored.at("part_ms").get<std::int64_t>(), 1);
    for (const json& one : stored.at("users"))
      for (const json& p : one.at("parts"))
        read.push_back({.user = one.at("name").get<std::string>(),
                        .used = {.device_ms = p.at(1).get<double>(), .completed = p.at(2).get<std::int64_t>()},
                        .at = instant{duration{p.at(0).get<std::int64_t>() * length}}});
  } catch (const json::exception&) { return fail(error_code::damaged, "what users used of the devices cannot be read"); }
  for (const one_part& p : read)
    if (const auto index = find_or_add(p.user); index && p.used.device_ms >= 0)
      count(*index, p.used, p.at);
  return {};
}

result<void> check_user_name(const std::string& name) { return check_name("a user", name, limits::user_name_bytes_max); }

} // namespace ferry::scheduling
