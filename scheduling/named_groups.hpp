// The groups that users put jobs into: how many jobs of a group may run at once, and whether it is paused. A pure value. (Which
// jobs may share a run is another matter: see batch_groups.)
//
// Jobs of a group that is paused or full keep their place in the order; they are passed over (job_queue::heads) until there is
// room, so they keep nobody else from starting.
#pragma once

#include "model/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ferry::scheduling {

// A group by its place in the table of the running daemon; 0: none.
using named_group_index = std::uint16_t;

struct group_settings {
  int parallel = 0; // at most so many of its jobs run at once; 0: no limit
  bool paused = false;

  friend bool operator==(const group_settings&, const group_settings&) = default;
};

class named_groups {
public:
  struct group {
    std::string name;
    group_settings settings = {};
    std::size_t running = 0;
    std::size_t arriving = 0; // on their way into the queue
  };

  [[nodiscard]] std::optional<named_group_index> find(const std::string& name) const;
  // 0 for no name. A group that nobody uses any more (`is_queued` says whether any job of it is) makes way for a new one.
  // Errors: too_large (limits::named_groups_max groups are in use).
  [[nodiscard]] result<named_group_index> find_or_add(const std::string& name,
                                                      const std::function<bool(named_group_index)>& is_queued = {});
  [[nodiscard]] const group& at(named_group_index index) const { return groups_.at(index); }
  // Those with a name, by name.
  [[nodiscard]] std::vector<named_group_index> all() const;

  void set(named_group_index index, const group_settings& settings) { groups_.at(index).settings = settings; }
  void arriving(named_group_index index) { ++groups_.at(index).arriving; }
  void arrived(named_group_index index) { --groups_.at(index).arriving; }
  void started(named_group_index index) { ++groups_.at(index).running; }
  void ended(named_group_index index) { --groups_.at(index).running; }

  // How many more of its jobs may start now.
  [[nodiscard]] std::size_t room(named_group_index index) const;
  // Whether these jobs, of the groups given, may all start now.
  [[nodiscard]] bool have_room(const std::vector<named_group_index>& groups_of_jobs) const;
  // Why none of its jobs starts: "group night is paused", "group night runs 2 of at most 2 jobs"; empty: they do.
  [[nodiscard]] std::string why_closed(named_group_index index) const;

private:
  std::vector<group> groups_{group{}}; // the first stands for none
  std::map<std::string, named_group_index> by_name_;
};

// Errors: invalid_argument for what cannot be a name (empty, '/' or control characters in it), too_large.
[[nodiscard]] result<void> check_group_name(const std::string& name);
// Errors: invalid_argument naming the bound.
[[nodiscard]] result<void> check_parallel(std::int64_t parallel);

} // namespace ferry::scheduling
