#include "scheduling/duration_estimator.hpp"

#include "scheduling/fingerprint.hpp"

#include <algorithm>
#include <cmath>

namespace ferry::scheduling {
namespace {

// Chosen on 13,000 requests to a production diffusion service (Lin et al., "Understanding Diffusion Model Serving in Production",
// SoCC 2025) and on synthetic ones: half or twice any of them changes the error there by less than a tenth.
constexpr double prior_slope = 0.02;       // of the exponent of a number
constexpr double prior_recent = 0.01;      // of what fades
constexpr double fade_ms = 3'600'000;      // in which it fades to 1/e
constexpr double first_level = 4;          // variance of the level before anything was seen: any duration may come
constexpr double prior_level = 0.045;      // of its drift
constexpr double drift = 0.001;            // of its prior, by which a variance grows with each observation: old ones count less
constexpr double first_noise = 0.1;        // variance of the logarithm
constexpr double first_noise_count = 20;   // observations that it counts for
constexpr double noise_count_max = 1'000;  // observations over which the noise is averaged
constexpr double scatter_count_max = 100;  // the same for jobs that are alike,
constexpr double noise_in_scatter = 10;    // whose own scatter begins as the noise, counted for so many
constexpr double surprise_squared_max = 6; // variances that a squared surprise may add to the noise: one outlier is not noise
constexpr double surprise_max = 1.5;       // standard deviations; larger surprises count as that large: outliers,
constexpr double run_growth = 1.5;         // unless one follows the other to the same side, which is news: the limit grows
constexpr int run_max = 4;                 // so many times at most
constexpr double first_p90_at = 1.28;      // of a normal distribution
constexpr double p90_step = 0.02;          // of its stochastic approximation (Robbins and Monro, 1951), larger at first
constexpr double own_count_max = 20;       // jobs alike over which their own mean is averaged
constexpr double own_off_max = 3;          // standard deviations that one of them may lie off that mean: outliers
constexpr double alike_prior = 2;          // jobs that what is usual counts for beside them
constexpr double unexplained_min = 2;      // where surprises are so many times as large as that, effects do not explain them
constexpr double first_within_count = 5;   // observations that the first variance of jobs about their own mean counts for
constexpr double slope_reach = 10; // logarithms of 1/22,000 and 22,000 times what slopes compare with; further is no further
constexpr double hint_width = 10;  // hints are mostly lengths of texts, which matter by their tens
constexpr double shortest_ms = 1;  // as the clock ticks
constexpr double longest_ms = 1000.0 * static_cast<double>(limits::run_seconds_max);
constexpr int format_version = 1;

constexpr std::array<const char*, 15> kind_names{"level",  "amounts",     "text",        "warm",          "joint",
                                                 "hint",   "user",        "user_joint",  "user_warm",     "user_hints",
                                                 "device", "recent_warm", "recent_user", "recent_device", "slope"};

void add(fingerprint& to, const feature& f) {
  to.add(f.name);
  if (const auto* number = std::get_if<double>(&f.value))
    to.add("number").add(*number);
  else
    to.add("text").add(std::get<std::string>(f.value));
}

// In tens: a number itself, a text by its length.
double roughly(const feature& f) {
  const auto* number = std::get_if<double>(&f.value);
  return std::floor((number ? *number : static_cast<double>(std::get<std::string>(f.value).size())) / hint_width);
}

double to_ms(instant t) { return static_cast<double>(to_unix_ms(t)); }
duration from_ms(double ms) { return duration{std::llround(std::clamp(ms, shortest_ms, longest_ms))}; }

// Of a slope: how far from what it compares with.
double reach(double value, double reference) { return std::clamp(std::log(value / reference), -slope_reach, slope_reach); }

tl::unexpected<error> damaged(const std::string& what) { return fail(error_code::damaged, "stored estimates: " + what); }

bool is_row(const json& row, std::size_t width) {
  return row.is_array() && row.size() == width && row[0].is_number_unsigned() &&
         std::all_of(row.begin(), row.end(),
                     [](const json& cell) { return cell.is_number() && std::isfinite(cell.get<double>()); });
}

} // namespace

duration_estimator::duration_estimator(double apart)
    : apart_(apart),
      noise_(first_noise),
      noise_count_(first_noise_count),
      within_(first_noise),
      within_count_(first_within_count),
      p90_at_(first_p90_at) {}

double duration_estimator::prior_of(kind of) const {
  if (of == kind::level)
    return prior_level;
  return of == kind::slope ? prior_slope : is_recent(of) ? prior_recent : apart_;
}

std::uint64_t duration_estimator::joint_key(const job_features& job) {
  fingerprint joint;
  for (const feature& f : job.parameters)
    add(joint, f);
  return joint.add(job.warm).value();
}

std::vector<duration_estimator::term> duration_estimator::terms_of(const job_features& job) {
  std::vector<term> terms{{kind::level, 0, 1}};
  const auto add_term = [&](kind of, const fingerprint& key, double x = 1) { terms.push_back({of, key.value(), x}); };
  fingerprint amounts, hints;
  bool has_amounts = false;
  for (const feature& f : job.parameters) {
    const auto* number = std::get_if<double>(&f.value);
    fingerprint of_text;
    add(number ? amounts : of_text, f);
    if (!number)
      add_term(kind::text, of_text);
    else if (*number > 0)
      add_term(kind::slope, fingerprint().add(f.name), *number);
    has_amounts = has_amounts || number;
  }
  if (has_amounts)
    add_term(kind::amounts, amounts);
  for (const feature& f : job.hints) {
    add(hints, f);
    add_term(kind::hint, fingerprint().add(f.name).add(job.warm).add(roughly(f)));
  }
  const bool has_parameters = !job.parameters.empty(), has_warm = !job.warm.empty();
  const auto joint = joint_key(job);
  if (has_warm) {
    add_term(kind::warm, fingerprint().add(job.warm));
    add_term(kind::recent_warm, fingerprint().add(job.warm));
  }
  if ((has_parameters && has_warm) || job.parameters.size() > 1)
    add_term(kind::joint, fingerprint().add(joint));
  if (!job.user.empty()) {
    add_term(kind::user, fingerprint().add(job.user));
    add_term(kind::recent_user, fingerprint().add(job.user));
    if (has_parameters || has_warm)
      add_term(kind::user_joint, fingerprint().add(job.user).add(joint));
    if (has_parameters && has_warm)
      add_term(kind::user_warm, fingerprint().add(job.user).add(job.warm));
    if (!job.hints.empty())
      add_term(kind::user_hints, fingerprint().add(job.user).add(hints.value()));
  }
  if (!job.device.empty()) {
    add_term(kind::device, fingerprint().add(job.device));
    add_term(kind::recent_device, fingerprint().add(job.device));
  }
  return terms;
}

duration_estimator::effect duration_estimator::faded(kind of, effect known, instant now) {
  if (!is_recent(of))
    return known;
  const double left = std::exp(-std::max(to_ms(now) - known.extra, 0.0) / fade_ms);
  const double rest = prior_recent;
  return {known.mean * left, rest - (rest - known.variance) * left * left, to_ms(now)};
}

// Of all devices that are known: their mean, as uncertain as they are and as they differ.
duration_estimator::effect duration_estimator::average(kind of, instant now) const {
  effect sum;
  double squares = 0;
  const auto count = static_cast<double>(table(of).size());
  if (count == 0)
    return {};
  for (const auto& [key, known] : table(of)) {
    const effect e = faded(of, known, now);
    sum.mean += e.mean / count;
    sum.variance += e.variance / count;
    squares += e.mean * e.mean / count;
  }
  sum.variance += std::max(squares - sum.mean * sum.mean, 0.0);
  return sum;
}

double duration_estimator::scatter_of(const scatter* known) const {
  return known ? (noise_in_scatter * noise_ + known->count * known->variance) / (noise_in_scatter + known->count) : noise_;
}

std::optional<estimate> duration_estimator::predict(const job_features& job, instant now) const {
  if (count_ == 0)
    return std::nullopt;
  double mean = 0, variance = 0;
  const auto add_effect = [&](const effect& e, double x) {
    mean += e.mean * x;
    variance += e.variance * x * x;
  };
  for (const term& t : terms_of(job)) {
    const effect* known = table(t.of).find(t.key);
    if (t.of != kind::slope)
      add_effect(known ? faded(t.of, *known, now) : effect{.variance = prior_of(t.of)}, t.x);
    else if (known)
      add_effect(*known, reach(t.x, known->extra));
  }
  if (job.device.empty())
    for (const kind of : {kind::device, kind::recent_device})
      add_effect(average(of, now), 1);
  const scatter* alike = scatters_.find(joint_key(job));
  if (alike)
    mean += own_share(*alike) * (alike->own_mean - mean);
  const double spread = std::sqrt(variance + scatter_of(alike));
  return estimate{.median = from_ms(std::exp(mean)),
                  .p90 = from_ms(std::exp(mean + std::max(p90_at_, 0.0) * spread)),
                  .spread = spread,
                  .alike = alike ? static_cast<int>(alike->count) : 0};
}

// How jobs that agree in everything lie about their own mean.
double duration_estimator::own_variance(const scatter& alike) const {
  return (alike_prior * within_ + alike.own_count * alike.own_variance) / (alike_prior + alike.own_count);
}

double duration_estimator::own_share(const scatter& alike) const {
  if (alike.own_count < 1)
    return 0;
  const double own = own_variance(alike);
  const double surprises = (alike_prior * within_ + alike.count * alike.variance) / (alike_prior + alike.count);
  const double unexplained = surprises - unexplained_min * own;
  return unexplained <= 0 ? 0 : unexplained / (unexplained + own / alike.own_count);
}

void duration_estimator::learn_own(scatter& alike, double observed, double weight) {
  const double before = alike.own_count;
  double off = observed - alike.own_mean;
  if (before > 1) {
    const double limit = own_off_max * std::sqrt(own_variance(alike));
    off = std::clamp(off, -limit, limit);
  }
  alike.own_count = std::min(before + weight, own_count_max);
  const double step = std::min(weight / alike.own_count, 1.0);
  alike.own_mean += step * off;
  alike.own_variance = (1 - step) * (alike.own_variance + step * off * off);
  if (before < 1 || weight < 1)
    return;
  within_count_ = std::min(within_count_ + 1, noise_count_max);
  within_ += (std::min(off * off * before / (before + 1), surprise_squared_max * within_) - within_) / within_count_;
}

// `of_effects`: the variance that the effects explain of this surprise; `in_all`: with that of the observation.
void duration_estimator::learn_scatter(scatter& alike, double surprise, double of_effects, double in_all) {
  const double deviation = std::sqrt(of_effects + scatter_of(&alike));
  const double step = p90_step * std::max(1.0, 10 / std::sqrt(static_cast<double>(count_)));
  p90_at_ += step * (surprise > p90_at_ * deviation ? 0.9 : -0.1);
  // The whole surprise counts as noise: a diagonal covariance overstates what is uncertain about the effects.
  const double squared = std::min(surprise * surprise, surprise_squared_max * in_all);
  noise_count_ = std::min(noise_count_ + 1, noise_count_max);
  noise_ += (squared - noise_) / noise_count_;
  alike.count = std::min(alike.count + 1, scatter_count_max);
  alike.variance += (squared - alike.variance) / alike.count;
}

void duration_estimator::observe(const job_features& job, duration took, instant now, double weight) {
  const double observed = std::log(std::max(static_cast<double>(took.count()), shortest_ms));
  struct active {
    kind of;
    effect* learns;
    double x;
  };
  std::vector<active> effects;
  double mean = 0, variance = 0;
  for (const term& t : terms_of(job)) {
    const bool is_level = t.of == kind::level, is_slope = t.of == kind::slope;
    // The first number seen is what later ones are compared with.
    effect& known = table(t.of).use(t.key, {.mean = is_level ? observed : 0,
                                            .variance = is_level ? first_level : prior_of(t.of),
                                            .extra = is_slope          ? t.x
                                                     : is_recent(t.of) ? to_ms(now)
                                                                       : 0});
    known = faded(t.of, known, now);
    const double x = is_slope ? reach(t.x, known.extra) : t.x;
    mean += known.mean * x;
    variance += known.variance * x * x;
    if (x != 0) // a number that is what the slope compares with teaches nothing about it
      effects.push_back({t.of, &known, x});
  }
  const double in_all = variance + noise_ / weight;
  const double deviation = std::sqrt(in_all);
  double surprise = observed - mean;
  double limit = surprise_max * deviation;
  if (count_ > 0) {
    scatter& alike = scatters_.use(joint_key(job));
    if (weight >= 1) // what is told of a job by its batch is drawn to what was expected
      learn_scatter(alike, surprise, variance, in_all);
    const int side = surprise > limit ? 1 : surprise < -limit ? -1 : 0;
    learn_own(alike, observed, weight);
    const bool goes_on = side != 0 && side == alike.side;
    if (goes_on)
      limit *= std::pow(run_growth, alike.run);
    alike.run = goes_on ? std::min(alike.run + 1, run_max) : std::abs(side);
    alike.side = side;
  }
  surprise = std::clamp(surprise, -limit, limit);
  for (const auto& [of, learns, x] : effects) {
    const double share = learns->variance * x / in_all;
    learns->mean += share * surprise;
    learns->variance -= share * x * learns->variance;
    if (!is_recent(of))
      learns->variance = std::min(learns->variance + drift * prior_of(of), of == kind::level ? first_level : prior_of(of));
  }
  ++count_;
}

json duration_estimator::to_json() const {
  static_assert(kind_names.size() == kinds);
  json effects = json::object(), scatters = json::array();
  for (std::size_t i = 0; i < kinds; ++i) {
    json rows = json::array();
    for (const auto& [key, e] : tables_[i])
      rows.push_back({key, e.mean, e.variance, e.extra});
    effects[kind_names[i]] = std::move(rows);
  }
  for (const auto& [key, s] : scatters_)
    scatters.push_back({key, s.count, s.variance, s.side, s.run, s.own_count, s.own_mean, s.own_variance});
  return {{"version", format_version},
          {"observations", count_},
          {"apart", apart_},
          {"noise", noise_},
          {"noise_count", noise_count_},
          {"within", within_},
          {"within_count", within_count_},
          {"p90_at", p90_at_},
          {"effects", std::move(effects)},
          {"scatters", std::move(scatters)}};
}

result<duration_estimator> duration_estimator::from_json(const json& stored) {
  if (!stored.is_object() || !stored.contains("version") || !stored["version"].is_number_integer())
    return damaged("not an object with a version");
  if (stored["version"].get<int>() > format_version)
    return fail(error_code::newer_version, "stored estimates were written by a newer ferry");
  duration_estimator made;
  for (const auto& [name, into] : {std::pair{"apart", &made.apart_}, std::pair{"noise", &made.noise_},
                                   std::pair{"noise_count", &made.noise_count_}, std::pair{"p90_at", &made.p90_at_}}) {
    const auto found = stored.find(name);
    if (found == stored.end() || !found->is_number() || !std::isfinite(found->get<double>()))
      return damaged(std::string(name) + " is no number");
    *into = found->get<double>();
  }
  if (stored.contains("within")) { // not what was written before version 0.1 was out
    const json within = stored["within"], within_count = stored.value("within_count", json());
    if (!within.is_number() || !within_count.is_number() || !(within.get<double>() >= 0) || !(within_count.get<double>() >= 1))
      return damaged("within is no number");
    made.within_ = within.get<double>();
    made.within_count_ = within_count.get<double>();
  }
  if (made.apart_ < 0 || made.noise_ < 0 || made.noise_count_ < 0)
    return damaged("its noise is negative");
  const json count = stored.value("observations", json()), effects = stored.value("effects", json()),
             scatters = stored.value("scatters", json());
  if (!count.is_number_integer() || count.get<std::int64_t>() < 0 || !effects.is_object() || !scatters.is_array())
    return damaged("observations, effects or scatters are missing");
  made.count_ = count.get<std::int64_t>();
  for (std::size_t i = 0; i < kinds; ++i) {
    const json rows = effects.value(kind_names[i], json());
    if (!rows.is_array() || rows.size() > limits::estimate_keys_max)
      return damaged("the effects of kind " + std::string(kind_names[i]) + " are no list, or a longer one than ferry writes");
    for (const json& row : rows) {
      if (!is_row(row, 4) || row[2].get<double>() < 0 || (static_cast<kind>(i) == kind::slope && row[3].get<double>() <= 0))
        return damaged("an effect of kind " + std::string(kind_names[i]) + ": " + row.dump());
      made.tables_[i].use(row[0].get<std::uint64_t>(), {row[1].get<double>(), row[2].get<double>(), row[3].get<double>()});
    }
  }
  if (scatters.size() > limits::estimate_keys_max)
    return damaged("more scatters than ferry writes");
  for (const json& row : scatters) {
    const bool has_own = is_row(row, 8); // not what was written before version 0.1 was out
    if (!(is_row(row, 5) || has_own) || row[1].get<double>() < 0 || row[2].get<double>() < 0 || row[4].get<int>() < 0 ||
        row[4].get<int>() > run_max || (has_own && (row[5].get<double>() < 0 || row[7].get<double>() < 0)))
      return damaged("a scatter: " + row.dump());
    scatter& s = made.scatters_.use(row[0].get<std::uint64_t>(), {row[1].get<double>(), row[2].get<double>(),
                                                                  std::clamp(row[3].get<int>(), -1, 1), row[4].get<int>()});
    if (has_own) {
      s.own_count = row[5].get<double>();
      s.own_mean = row[6].get<double>();
      s.own_variance = row[7].get<double>();
    }
  }
  return made;
}

} // namespace ferry::scheduling
