#include "scheduling/batch_cost.hpp"

#include "scheduling/fingerprint.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::scheduling {
namespace {

constexpr double first_price = 0.5;         // before anything is known: batching begins, and a wrong half costs little
constexpr double first_weight = 3;          // of it: so many batches, each large enough to tell the price
constexpr double type_weight = 8;           // of the type's price for a key
constexpr double batch_spread = 0.25;       // standard deviation of the logarithm of one batch's time
constexpr double price_stop = 0.9;          // from here company saves less than what it delays
constexpr double price_seen_max = 1.5;      // of one batch: a slow outlier counts as that
constexpr double fade_ms = 24 * 3'600'000.; // in which what was seen fades to 1/e
constexpr int format_version = 1;

tl::unexpected<error> damaged(const std::string& what) { return fail(error_code::damaged, "stored batch costs: " + what); }

bool is_number(const json& cell) { return cell.is_number() && std::isfinite(cell.get<double>()) && cell.get<double>() >= 0; }

} // namespace

std::uint64_t batch_key(const batch_traits& traits) { return fingerprint().add(traits.warm).add(traits.exact).value(); }

duration batch_time(duration longest, double size, double price) {
  return duration{std::llround(static_cast<double>(longest.count()) * (1 + price * std::max(size - 1, 0.0)))};
}

job_features load_features(const std::string& warm, const std::string& device) {
  return {.parameters = {}, .hints = {}, .warm = warm == "{}" ? std::string() : warm, .user = {}, .device = device};
}

batch_cost::sum batch_cost::faded(const sum& s, instant now) {
  const double left = std::exp(-std::max(static_cast<double>((now - s.at).count()), 0.0) / fade_ms);
  return {s.weight * left, s.weighted * left, now};
}

void batch_cost::add(sum& to, double weight, double price, instant now) {
  to = faded(to, now);
  to.weight += weight;
  to.weighted += weight * price;
}

double batch_cost::type_price(instant now) const {
  const sum type = faded(type_, now);
  return (type.weighted + first_weight * first_price) / (type.weight + first_weight);
}

double batch_cost::expected_price(std::uint64_t key, instant now) const {
  const double of_type = type_price(now);
  const sum* found = keys_.find(key);
  if (!found)
    return of_type;
  const sum known = faded(*found, now);
  return (known.weighted + type_weight * of_type) / (known.weight + type_weight);
}

void batch_cost::observe(std::uint64_t key, double size, double ratio, instant now) {
  const double further = size - 1;
  if (!(further > 0) || !std::isfinite(ratio))
    return;
  // A batch tells the price the better, the more of its time is due to company.
  const double told = further / (1 + expected_price(key, now) * further);
  const double price = std::clamp((ratio - 1) / further, 0.0, price_seen_max);
  add(type_, told * told, price, now);
  add(keys_.use(key), told * told, price, now);
}

double batch_cost::price(std::uint64_t key, instant now) const {
  const double expected = expected_price(key, now);
  if (expected >= price_stop)
    return does_not_pay;
  return std::max(expected - batch_spread / std::sqrt(faded(type_, now).weight + first_weight), 0.0);
}

json batch_cost::to_json() const {
  json rows = json::array();
  for (const auto& [key, s] : keys_)
    rows.push_back({key, s.weight, s.weighted, to_unix_ms(s.at)});
  return {
      {"version", format_version}, {"type", {0U, type_.weight, type_.weighted, to_unix_ms(type_.at)}}, {"keys", std::move(rows)}};
}

result<batch_cost> batch_cost::from_json(const json& stored) {
  if (!stored.is_object() || !stored.contains("version") || !stored["version"].is_number_integer())
    return damaged("not an object with a version");
  if (stored["version"].get<int>() > format_version)
    return fail(error_code::newer_version, "stored batch costs were written by a newer ferry");
  const json keys = stored.value("keys", json()), type = stored.value("type", json());
  const auto is_row = [](const json& row) {
    return row.is_array() && row.size() == 4 && row[0].is_number_unsigned() && is_number(row[1]) && is_number(row[2]) &&
           row[3].is_number_integer();
  };
  const auto sum_of = [](const json& row) {
    return sum{row[1].get<double>(), row[2].get<double>(), from_unix_ms(row[3].get<std::int64_t>())};
  };
  if (!keys.is_array() || keys.size() > limits::batch_keys_max)
    return damaged("the keys are no list, or a longer one than ferry writes");
  if (!is_row(type))
    return damaged("the type: " + type.dump());
  batch_cost made;
  made.type_ = sum_of(type);
  for (const json& row : keys) {
    if (!is_row(row))
      return damaged("a key: " + row.dump());
    made.keys_.use(row[0].get<std::uint64_t>(), sum_of(row));
  }
  return made;
}

} // namespace ferry::scheduling
