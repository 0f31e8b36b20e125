// What a submit is answered with, and the messages about the groups that users put jobs into: a part of interfaces.hpp.
#pragma once

#include "model/ids.hpp"
#include "scheduling/named_groups.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ferry::actors {

struct submitted_job {
  job_id id;
  std::optional<std::size_t> position; // none: it may not start yet, or is no longer queued
  std::string waiting_for = {};        // then: why, unless it is held because that was asked for
  bool existing = false;               // it was there before, with the same unique key
};
struct jobs_submitted {
  std::vector<submitted_job> jobs;
  bool repeated = false; // an earlier request with the same idempotency key made them
};

// What is not set stays.
struct change_group {
  std::string name;
  std::optional<std::int64_t> parallel = {};
  std::optional<bool> paused = {};
};
struct read_groups {};

// A group that has jobs or settings.
struct group_view {
  std::string name;
  std::size_t queued = 0, running = 0;
  scheduling::group_settings settings;
};
using group_list = std::vector<group_view>;

} // namespace ferry::actors
