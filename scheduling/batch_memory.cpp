#include "scheduling/batch_memory.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace ferry::scheduling {
namespace {

constexpr double margin = 1.05;        // allocators round up and leave holes
constexpr double alone_ran_out = 1.25; // one item ran out: so much more is tried, where there is a larger device
constexpr auto peak_life = std::chrono::hours(24);
constexpr int format_version = 1;

// The sizes that are told apart, so that a key has at most limits::memory_sizes_max of them.
constexpr std::array sizes{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256};
static_assert(sizes.size() == limits::memory_sizes_max && sizes.back() == limits::batch_items_max);

// What n items took, fewer will not exceed: a peak counts for the next smaller size. What n items lacked, more will lack.
int smaller_size(int items) { return *(std::upper_bound(sizes.begin(), sizes.end(), std::max(items, 1)) - 1); }
int larger_size(int items) { return *std::lower_bound(sizes.begin(), sizes.end(), std::clamp(items, 1, sizes.back())); }

// Of all lines that no peak lies above, rising or level, the one nearest to the peaks.
template <class Peaks>
double on_line(const Peaks& known, int items) {
  struct line {
    double at_zero, slope;
    [[nodiscard]] double at(int n) const { return at_zero + slope * n; }
  };
  double highest = 0;
  for (const auto& [size, p] : known)
    highest = std::max(highest, p.mib);
  const auto excess = [&](const line& l) -> std::optional<double> {
    double sum = 0;
    for (const auto& [size, p] : known) {
      if (l.at(size) < p.mib - 1e-6)
        return std::nullopt;
      sum += l.at(size) - p.mib;
    }
    return sum;
  };
  line best{highest, 0};
  double least = *excess(best);
  for (auto a = known.begin(); a != known.end(); ++a)
    for (auto b = std::next(a); b != known.end(); ++b) {
      const double slope = (b->second.mib - a->second.mib) / (b->first - a->first);
      const line through{a->second.mib - slope * a->first, slope};
      if (const auto sum = excess(through); slope > 0 && sum && *sum < least) {
        best = through;
        least = *sum;
      }
    }
  return best.at(items);
}

template <class Peaks>
double needed(const Peaks& known, int items) {
  const auto& [smallest, at_smallest] = *known.begin();
  const auto& [largest, at_largest] = *known.rbegin();
  if (known.size() == 1 && items > largest) // how much of it is for each item is not known: all, at worst
    return at_largest.mib * items / largest;
  if (items >= smallest)
    return on_line(known, items);
  const double at_least = at_smallest.mib * items / smallest; // were it all for items
  return known.size() == 1 ? at_smallest.mib : std::clamp(on_line(known, items), at_least, at_smallest.mib);
}

tl::unexpected<error> damaged(const std::string& what) { return fail(error_code::damaged, "stored batch memory: " + what); }

bool is_mib(const json& cell) { return cell.is_number() && std::isfinite(cell.get<double>()) && cell.get<double>() >= 0; }

} // namespace

void batch_memory::note(std::uint64_t key, int size, double mib, instant now) {
  peak& known = keys_.use(key)[size];
  if (mib >= known.mib || now - known.at >= peak_life)
    known = {mib, now};
  largest_mib_ = std::max(largest_mib_, mib);
}

void batch_memory::used(std::uint64_t key, int items, std::int64_t peak_mib, instant now) {
  if (items >= 1 && peak_mib > 0)
    note(key, smaller_size(items), static_cast<double>(peak_mib), now);
}

void batch_memory::ran_out(std::uint64_t key, int items, std::int64_t had_mib, instant now) {
  if (items < 1 || had_mib <= 0)
    return;
  const double more = static_cast<double>(had_mib) * (items == 1 ? alone_ran_out : 1);
  note(key, larger_size(items), more, now);
}

std::optional<std::int64_t> batch_memory::to_reserve(std::uint64_t key, int items, std::int64_t declared_mib) const {
  const peaks* known = keys_.find(key);
  if (known)
    return std::llround(std::ceil(needed(*known, std::max(items, 1)) * margin));
  if (declared_mib > 0)
    return declared_mib;
  return largest_mib_ > 0 ? std::optional(std::llround(std::ceil(largest_mib_ * margin))) : std::nullopt;
}

json batch_memory::to_json() const {
  json rows = json::array();
  for (const auto& [key, known] : keys_) {
    json row = json::array({key});
    for (const auto& [size, p] : known)
      row.push_back({size, p.mib, to_unix_ms(p.at)});
    rows.push_back(std::move(row));
  }
  return {{"version", format_version}, {"largest", largest_mib_}, {"keys", std::move(rows)}};
}

result<batch_memory> batch_memory::from_json(const json& stored) {
  if (!stored.is_object() || !stored.contains("version") || !stored["version"].is_number_integer())
    return damaged("not an object with a version");
  if (stored["version"].get<int>() > format_version)
    return fail(error_code::newer_version, "stored batch memory was written by a newer ferry");
  const json keys = stored.value("keys", json()), largest = stored.value("largest", json());
  if (!keys.is_array() || keys.size() > limits::batch_keys_max || !is_mib(largest))
    return damaged("keys or largest are missing, or longer than ferry writes");
  batch_memory made;
  made.largest_mib_ = largest.get<double>();
  for (const json& row : keys) {
    if (!row.is_array() || row.size() < 2 || row.size() > 1 + limits::memory_sizes_max || !row[0].is_number_unsigned())
      return damaged("a key: " + row.dump());
    peaks& known = made.keys_.use(row[0].get<std::uint64_t>());
    for (auto cell = row.begin() + 1; cell != row.end(); ++cell) {
      if (!cell->is_array() || cell->size() != 3 || !(*cell)[0].is_number_integer() || !is_mib((*cell)[1]) ||
          !(*cell)[2].is_number_integer() || std::find(sizes.begin(), sizes.end(), (*cell)[0].get<int>()) == sizes.end())
        return damaged("a peak: " + cell->dump());
      known[(*cell)[0].get<int>()] = {(*cell)[1].get<double>(), from_unix_ms((*cell)[2].get<std::int64_t>())};
    }
  }
  return made;
}

} // namespace ferry::scheduling
