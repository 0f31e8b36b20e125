#include "scheduling/named_groups.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"
#include "scheduling/find_all.hpp"

#include <algorithm>

namespace ferry::scheduling {

std::optional<named_group_index> named_groups::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

result<named_group_index> named_groups::find_or_add(const std::string& name,
                                                    const std::function<bool(named_group_index)>& is_queued) {
  if (name.empty())
    return named_group_index{0};
  if (const auto found = find(name))
    return *found;
  if (by_name_.size() < limits::named_groups_max) {
    groups_.push_back({.name = name});
    return by_name_.emplace(name, static_cast<named_group_index>(groups_.size() - 1)).first->second;
  }
  const auto unused = std::find_if(by_name_.begin(), by_name_.end(), [&](const auto& one) {
    const group& known = groups_[one.second];
    return known.settings == group_settings{} && known.running == 0 && known.arriving == 0 && is_queued && !is_queued(one.second);
  });
  if (unused == by_name_.end())
    return fail(error_code::too_large,
                "there are " + std::to_string(limits::named_groups_max) +
                    " groups with jobs or settings already; no more can be had",
                "use a group that `ferry group` lists");
  const auto index = unused->second;
  by_name_.erase(unused);
  groups_[index] = group{.name = name};
  by_name_.emplace(name, index);
  return index;
}

result<void> named_groups::add_all(const std::vector<std::string>& names, const std::function<bool(named_group_index)>& is_queued) {
  return find_all(*this, names, [&](const std::string& name) { return find_or_add(name, is_queued); });
}

std::vector<named_group_index> named_groups::all() const {
  std::vector<named_group_index> indices;
  for (const auto& [name, index] : by_name_)
    indices.push_back(index);
  return indices;
}

std::size_t named_groups::room(named_group_index index) const {
  const group& one = groups_.at(index);
  if (one.settings.paused)
    return 0;
  if (one.settings.parallel == 0)
    return SIZE_MAX;
  const auto most = static_cast<std::size_t>(one.settings.parallel);
  return most > one.running ? most - one.running : 0;
}

bool named_groups::have_room(const std::vector<named_group_index>& groups_of_jobs) const {
  std::map<named_group_index, std::size_t> wanted;
  for (const named_group_index index : groups_of_jobs)
    ++wanted[index];
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& one) { return one.second <= room(one.first); });
}

std::string named_groups::why_closed(named_group_index index) const {
  if (index == 0 || room(index) > 0)
    return {};
  const group& one = groups_.at(index);
  if (one.settings.paused)
    return "group " + one.name + " is paused";
  return "group " + one.name + " runs " + std::to_string(one.running) + " of at most " + std::to_string(one.settings.parallel) +
         (one.settings.parallel == 1 ? " job" : " jobs");
}

result<void> check_name(const std::string& whose, const std::string& name, std::size_t bytes_max) {
  if (name.size() > bytes_max)
    return fail(error_code::too_large, "the name of " + whose + " takes " + std::to_string(name.size()) + " bytes; at most " +
                                           std::to_string(bytes_max) + " are allowed");
  const bool is_bad = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '/'; });
  if (name.empty() || is_bad)
    return fail(error_code::invalid_argument,
                "the name of " + whose + " is a text without '/' and control characters, not '" + config::shortened(name) + "'");
  return {};
}

result<void> check_group_name(const std::string& name) { return check_name("a group", name, limits::group_name_bytes_max); }

result<void> check_parallel(std::int64_t parallel) {
  if (parallel < 0 || parallel > limits::group_parallel_max)
    return fail(error_code::invalid_argument, "parallel must be from 0 (no limit) to " +
                                                  std::to_string(limits::group_parallel_max) + ", is " + std::to_string(parallel));
  return {};
}

} // namespace ferry::scheduling
