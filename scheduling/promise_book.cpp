#include "scheduling/promise_book.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::scheduling {
namespace {

using namespace std::chrono_literals;

constexpr double stretch_step = 0.001, stretch_min = 0.5, stretch_max = 2;
constexpr double late_step = 0.05; // in standard deviations
constexpr double late_at_min = 0.5, late_at_max = 20;
constexpr duration doubt_min = 1s; // less is not told apart from the time a start takes

double in_seconds(duration d) { return static_cast<double>(d.count()) / 1000.0; }

} // namespace

instant promise_book::stretched(instant made, instant foreseen) const {
  return made + duration{std::llround(static_cast<double>((foreseen - made).count()) * stretch_)};
}

std::optional<start_promise> promise_book::expect(const forecast& seen, job_id job) const {
  const auto* run = seen.find(job);
  if (!run || !run->is_known)
    return std::nullopt;
  const instant start = stretched(seen.made, run->starts);
  const auto late = static_cast<double>(std::max(run->doubt, doubt_min).count()) * late_at_;
  return start_promise{seen.made, start, start + duration{std::llround(late)}};
}

void promise_book::make(const forecast& seen, job_id job) {
  if (open_.contains(job))
    return;
  if (const auto told = expect(seen, job))
    open_.emplace(job, open_promise{*told, std::max(seen.find(job)->doubt, doubt_min)});
}

std::optional<start_promise> promise_book::find(job_id job) const {
  const auto found = open_.find(job);
  return found == open_.end() ? std::nullopt : std::optional(found->second.told);
}

std::optional<start_promise> promise_book::settle(job_id job, instant started) {
  const auto node = open_.extract(job);
  if (node.empty())
    return std::nullopt;
  const start_promise& told = node.mapped().told;
  const double wait = in_seconds(told.start - told.made), came = in_seconds(started - told.made);
  std::size_t at = 0;
  while (at < bounds_seconds.size() && wait >= static_cast<double>(bounds_seconds[at]))
    ++at;
  tally& of = tallies_[at];
  of.promises += 1;
  of.within_20_percent += std::abs(came - wait) <= 0.2 * wait ? 1 : 0;
  of.in_time += started <= told.late ? 1 : 0;
  of.error_sum += std::abs(came - wait);
  of.promised_sum += wait;
  of.came_sum += came;
  if (at == 0) // mostly what starting takes
    return told;
  stretch_ = std::clamp(stretch_ + (came > wait ? stretch_step : -stretch_step), stretch_min, stretch_max);
  const double off = (came - wait) / in_seconds(node.mapped().doubt);
  late_at_ = std::clamp(late_at_ + late_step * (off > late_at_ ? 9 : -1), late_at_min, late_at_max);
  return told;
}

json promise_book::to_json() const {
  json list = json::array();
  for (const tally& t : tallies_)
    list.push_back({t.promises, t.within_20_percent, t.in_time, t.error_sum, t.promised_sum, t.came_sum});
  return {{"late_at", late_at_}, {"stretch", stretch_}, {"tallies", std::move(list)}};
}

result<promise_book> promise_book::from_json(const json& stored) {
  promise_book book;
  try {
    book.late_at_ = std::clamp(stored.at("late_at").get<double>(), late_at_min, late_at_max);
    book.stretch_ = std::clamp(stored.at("stretch").get<double>(), stretch_min, stretch_max);
    const json& list = stored.at("tallies");
    for (std::size_t i = 0; i < book.tallies_.size(); ++i) {
      const json& t = list.at(i);
      book.tallies_[i] = {t.at(0), t.at(1), t.at(2), t.at(3), t.at(4), t.at(5)};
    }
  } catch (const json::exception& e) {
    return fail(error_code::damaged, std::string("what was stored of promised starts cannot be read: ") + e.what());
  }
  return book;
}

} // namespace ferry::scheduling
