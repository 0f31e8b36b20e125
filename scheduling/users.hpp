// Whose jobs there are, and how much of the devices' time each user had lately. A pure value: no clock, time is an argument.
//
// Use is counted in device time: a job that had half of a device's slots for an hour used half an hour. It is kept in parts of a
// 24th of the window and forgotten with it.
#pragma once

#include "config/fair_share_rules.hpp"
#include "model/error.hpp"
#include "model/job.hpp"
#include "model/time.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ferry::scheduling {

// A user by their place in the table of the running daemon; 0: the one whose name is empty, who has the jobs of nobody known.
using user_index = std::uint16_t;

class user_book {
public:
  struct user {
    std::string name;
    double weight = 1;        // of their share
    std::size_t running = 0;  // jobs
    std::size_t arriving = 0; // on their way into the queue
  };
  struct use {
    double device_ms = 0;
    std::int64_t completed = 0; // jobs
  };
  using is_queued = std::function<bool(user_index)>; // whether any job of theirs is

  explicit user_book(config::fair_share_rules rules = {});

  [[nodiscard]] bool shares() const { return rules_.is_on(); }
  [[nodiscard]] std::optional<user_index> find(const std::string& name) const;
  // One who has no jobs any more makes way for a new one, who used least first. Errors: too_large (limits::users_max have some).
  [[nodiscard]] result<user_index> find_or_add(const std::string& name, const is_queued& queued = {});
  [[nodiscard]] const user& at(user_index index) const { return users_.at(index).who; }
  // Of a user's jobs in a lane: the user's, times the lane's.
  [[nodiscard]] double weight_of(user_index index, int lane) const;
  // By name.
  [[nodiscard]] std::vector<user_index> all() const;

  void arriving(user_index index) { ++users_.at(index).who.arriving; }
  void arrived(user_index index) { --users_.at(index).who.arriving; }
  void started(user_index index) { ++users_.at(index).who.running; }
  void ended(user_index index) { --users_.at(index).who.running; }
  [[nodiscard]] bool has_jobs(user_index index, const is_queued& queued) const;

  void count(user_index index, const use& more, instant now);
  [[nodiscard]] use use_of(user_index index, instant now) const; // within the window
  // The least use over weight, in milliseconds, of those who have jobs; nothing: nobody has any.
  [[nodiscard]] std::optional<double> least_use(const is_queued& queued, instant now) const;

  // Who used what; jobs are not in it.
  [[nodiscard]] json to_json(instant now) const;
  // Adds what is stored. Errors: damaged; newer_version. Then nothing is changed.
  [[nodiscard]] result<void> restore(const json& stored);

private:
  struct part {
    std::int64_t number = 0; // since the epoch
    use used;
  };
  struct entry {
    user who;
    std::vector<part> parts = {}; // ascending
  };
  [[nodiscard]] duration part_length() const;
  [[nodiscard]] std::int64_t part_at(instant when) const;
  [[nodiscard]] double weight_of(const std::string& name) const;

  config::fair_share_rules rules_;
  std::vector<entry> users_;
  std::map<std::string, user_index> by_name_;
};

// Errors: invalid_argument for what cannot be a name (as that of a group), too_large.
[[nodiscard]] result<void> check_user_name(const std::string& name);

} // namespace ferry::scheduling
