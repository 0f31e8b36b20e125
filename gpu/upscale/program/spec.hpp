// spec.json, which the queue writes for a batch: {"jobs":[{"id":1,"params":{…},"dir":"…"},…]}; of what else it holds, "device" is
// read.
#pragma once

#include "gpu/upscale/program/upscale_job.hpp"
#include "model/error.hpp"

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

namespace ferry::upscale {

// A job of a batch, or why it cannot be done; its id is known either way.
struct batch_entry {
  std::int64_t id = 0;
  result<upscale_job> job;
};

struct batch_spec {
  std::vector<batch_entry> jobs;
  bool on_cpu = false; // the queue has put the batch on the host
};

// Errors: not_found, too_large, invalid_argument: nothing of it can be done.
[[nodiscard]] result<batch_spec> read_spec(const std::filesystem::path& file);

// Of the "jobs" of a spec, or of a worker's "run". Errors: invalid_argument when there are none, or one has no id.
[[nodiscard]] result<std::vector<batch_entry>> entries_from(const nlohmann::json& document);

} // namespace ferry::upscale
