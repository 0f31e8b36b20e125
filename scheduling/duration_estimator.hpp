// How long a job will take, learnt from those before it: a median and a 90th percentile. Pure: time is an argument, and the same
// observations in the same order give the same answers (P7).
//
// The logarithm of a duration is taken as a sum of effects and noise: one effect of the model that is loaded, one of the user, one
// of all parameters together, and so on, and for each number a slope on its logarithm. Most jobs share some effect with earlier
// ones, so a key that was never seen still has an estimate, and one seen often has its own. In statistics these are crossed random
// effects (Gelman and Hill, Data Analysis Using Regression and Multilevel/Hierarchical Models, 2007, chapter 13); they are learnt
// on line by a Kalman filter whose covariance matrix is kept diagonal, which makes an observation O(number of effects). What an
// observation differs from its estimate is shared among its effects in proportion to how uncertain each of them is.
//
// Bounds: limits::estimate_keys_max keys of each of the 15 kinds of effect, about 100 bytes each.
#pragma once

#include "config/limits.hpp"
#include "model/error.hpp"
#include "model/job.hpp"
#include "model/time.hpp"
#include "scheduling/job_features.hpp"
#include "scheduling/recent_keys.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace ferry::scheduling {

struct estimate {
  duration median{};
  duration p90{};    // nine of ten jobs take at most that long; never less than the median
  double spread = 0; // standard deviation of the duration's logarithm: 0.1 is "within about 10%"
  int alike = 0;     // jobs observed alone that agree in all parameters and in what is loaded; counted up to 100
};

class duration_estimator {
public:
  // `apart`: how far keys differ before anything is known of them, as variance of the logarithm: 0.015 is about 13%.
  explicit duration_estimator(double apart = apart_running);
  static constexpr double apart_running = 0.015; // of what jobs take that are alike in most things
  static constexpr double apart_loading = 0.25;  // of loading: models are of all sizes

  // Nothing, as long as nothing was observed: then nothing is known. A job whose device is not known is expected on the average
  // one.
  [[nodiscard]] std::optional<estimate> predict(const job_features& job, instant now) const;

  // A job took that long, loading not included. `weight` below 1 for a less certain observation: a job of a batch of n counts as an
  // nth, with its own estimate times (measured by predicted time of the batch). Only whole observations tell how far jobs lie
  // apart.
  void observe(const job_features& job, duration took, instant now, double weight = 1);

  [[nodiscard]] std::int64_t observations() const { return count_; }

  // All that it knows; what is read answers as what was written. Errors: damaged, naming what cannot be; newer_version.
  [[nodiscard]] json to_json() const;
  [[nodiscard]] static result<duration_estimator> from_json(const json& stored);

private:
  // What an effect belongs to. The recent ones fade within the hour: a slow disk, a user's new habit.
  enum class kind : std::uint8_t {
    level,   // of all jobs
    amounts, // all numbers among the parameters together
    text,    // each text among the parameters
    warm,
    joint, // all parameters and what is loaded
    hint,  // each hint, roughly, with what is loaded
    user,
    user_joint,
    user_warm,
    user_hints, // exactly these hints: the same prompt once more
    device,
    recent_warm,
    recent_user,
    recent_device,
    slope, // how the duration grows with a number: as number^mean
  };
  static constexpr std::size_t kinds = 15;
  struct effect {
    double mean = 0;
    double variance = 0;
    double extra = 0; // recent: when it was seen last, in Unix milliseconds; slope: the number that the others are compared with
  };
  // How far jobs that agree in everything lie apart, and how they surprised lately.
  struct scatter {
    double count = 0; // up to 100
    double variance = 0;
    int side = 0; // of the last surprise; 0: it was none
    int run = 0;  // of surprises to that side
    // The mean of their logarithms and how they lie about it, of the last 20 or so: what the effects cannot explain of them.
    double own_count = 0, own_mean = 0, own_variance = 0;
  };
  struct term {
    kind of;
    std::uint64_t key;
    double x; // what the effect is multiplied with; of a slope the number itself
  };

  [[nodiscard]] static bool is_recent(kind of) {
    return of == kind::recent_warm || of == kind::recent_user || of == kind::recent_device;
  }
  [[nodiscard]] double prior_of(kind of) const;
  [[nodiscard]] static std::uint64_t joint_key(const job_features& job);
  [[nodiscard]] static std::vector<term> terms_of(const job_features& job);
  [[nodiscard]] static effect faded(kind of, effect known, instant now);
  using effect_table = recent_keys<effect, limits::estimate_keys_max>;
  [[nodiscard]] effect_table& table(kind of) { return tables_[static_cast<std::size_t>(of)]; }
  [[nodiscard]] const effect_table& table(kind of) const { return tables_[static_cast<std::size_t>(of)]; }
  [[nodiscard]] effect average(kind of, instant now) const;
  [[nodiscard]] double scatter_of(const scatter* known) const;
  [[nodiscard]] double own_variance(const scatter& alike) const;
  // How much an estimate is drawn to the mean of jobs that agree in everything: 0 where the effects explain them, towards 1 where
  // they lie close to each other and far from what the effects say.
  [[nodiscard]] double own_share(const scatter& alike) const;
  void learn_own(scatter& alike, double observed, double weight);
  void learn_scatter(scatter& alike, double surprise, double of_effects, double in_all);

  std::array<effect_table, kinds> tables_;
  recent_keys<scatter, limits::estimate_keys_max> scatters_;
  std::int64_t count_ = 0;
  double apart_;
  double noise_;       // variance of the logarithm that no effect explains
  double noise_count_; // observations that it counts for
  double within_;      // variance of the logarithm of jobs that agree in everything, about their own mean
  double within_count_;
  double p90_at_; // the 90th percentile, in standard deviations above the median
};

} // namespace ferry::scheduling
