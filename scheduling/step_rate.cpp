#include "scheduling/step_rate.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::scheduling {
namespace {

using namespace std::chrono_literals;

constexpr double seen_min = 0.02;
constexpr duration watched_min = 1s;

std::optional<double> fraction_of(const progress& how_far) {
  if (how_far.fraction)
    return how_far.fraction;
  if (how_far.step && how_far.total && *how_far.total > 0)
    return static_cast<double>(*how_far.step) / static_cast<double>(*how_far.total);
  return std::nullopt;
}

} // namespace

void step_rate::observe(const progress& how_far, instant at) {
  const auto fraction = fraction_of(how_far);
  if (!fraction || !std::isfinite(*fraction))
    return;
  const mark now{std::clamp(*fraction, 0.0, 1.0), at};
  if (!first_ || now.fraction < last_->fraction)
    first_ = now;
  last_ = now;
}

std::optional<duration> step_rate::left(instant now) const {
  if (!first_ || last_->fraction - first_->fraction < seen_min || last_->at - first_->at < watched_min)
    return std::nullopt;
  const auto watched = static_cast<double>((last_->at - first_->at).count());
  const double whole = watched * (1 - last_->fraction) / (last_->fraction - first_->fraction);
  return std::max(duration{std::llround(whole)} - (now - last_->at), duration{0});
}

} // namespace ferry::scheduling
