#include "scheduling/batch_caps.hpp"

#include <algorithm>

namespace ferry::scheduling {
namespace {

constexpr int full_to_raise = 10;
constexpr auto ceiling_life = std::chrono::hours(24);
constexpr int format_version = 1;

tl::unexpected<error> damaged(const std::string& what) { return fail(error_code::damaged, "stored batch caps: " + what); }

} // namespace

int batch_caps::most(const lowered& known, const cap_rules& rules, instant now) {
  const bool has_ceiling = known.ceiling > 0 && now - known.at < ceiling_life;
  return has_ceiling ? std::min(known.ceiling, rules.items_max) : rules.items_max;
}

int batch_caps::cap(std::uint64_t key, const cap_rules& rules, instant now) const {
  if (const lowered* known = keys_.find(key))
    return std::max(std::min(known->cap, most(*known, rules, now)), 1);
  return std::max(rules.memory_known ? rules.items_max : std::min(proven_, rules.items_max), 1);
}

void batch_caps::succeeded(std::uint64_t key, int items, const cap_rules& rules, instant now) {
  if (items >= proven_)
    proven_ = std::min(2 * proven_, limits::batch_items_max);
  if (!keys_.find(key) || items < cap(key, rules, now))
    return;
  lowered& known = keys_.use(key);
  if (++known.full < full_to_raise)
    return;
  known.full = 0;
  known.cap = std::min(known.cap + 1, most(known, rules, now));
}

void batch_caps::ran_out_of_memory(std::uint64_t key, int items, instant now) {
  if (items <= 1)
    return;
  const lowered* before = keys_.find(key);
  const bool was_lower = before && before->ceiling > 0 && now - before->at < ceiling_life && before->ceiling < items - 1;
  const int ceiling = was_lower ? before->ceiling : items - 1;
  keys_.use(key) = {.cap = items / 2, .ceiling = ceiling, .full = 0, .at = now};
}

void batch_caps::devices_changed() {
  for (auto& [key, known] : keys_)
    known.ceiling = 0;
}

json batch_caps::to_json() const {
  json rows = json::array();
  for (const auto& [key, known] : keys_)
    rows.push_back({key, known.cap, known.ceiling, known.full, to_unix_ms(known.at)});
  return {{"version", format_version}, {"proven", proven_}, {"keys", std::move(rows)}};
}

result<batch_caps> batch_caps::from_json(const json& stored) {
  if (!stored.is_object() || !stored.contains("version") || !stored["version"].is_number_integer())
    return damaged("not an object with a version");
  if (stored["version"].get<int>() > format_version)
    return fail(error_code::newer_version, "stored batch caps were written by a newer ferry");
  const json keys = stored.value("keys", json()), proven = stored.value("proven", json());
  const auto is_count = [](const json& cell, int least) {
    return cell.is_number_integer() && cell.get<std::int64_t>() >= least && cell.get<std::int64_t>() <= limits::batch_items_max;
  };
  if (!keys.is_array() || keys.size() > limits::batch_keys_max || !is_count(proven, 1))
    return damaged("keys or proven are missing, or larger than ferry writes");
  batch_caps made;
  made.proven_ = proven.get<int>();
  for (const json& row : keys) {
    if (!row.is_array() || row.size() != 5 || !row[0].is_number_unsigned() || !is_count(row[1], 1) || !is_count(row[2], 0) ||
        !is_count(row[3], 0) || !row[4].is_number_integer())
      return damaged("a key: " + row.dump());
    made.keys_.use(row[0].get<std::uint64_t>(),
                   {row[1].get<int>(), row[2].get<int>(), row[3].get<int>(), from_unix_ms(row[4].get<std::int64_t>())});
  }
  return made;
}

} // namespace ferry::scheduling
