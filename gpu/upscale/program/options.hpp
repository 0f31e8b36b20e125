// The command line of ferry-upscale.
#pragma once

#include "gpu/upscale/program/engines.hpp"
#include "gpu/upscale/program/upscale_job.hpp"

#include <filesystem>
#include <string>

namespace ferry::upscale {

struct options {
  enum class purpose {
    print,   // `text`, and end
    devices, // what can compute
    direct,  // `job`
    spec,    // the jobs of `spec_file`
    worker,
  };
  purpose what = purpose::direct;
  std::string text;
  compute_options compute;
  upscale_job job;
  std::filesystem::path spec_file;
};

// Errors: invalid_argument; the hint says where help is.
[[nodiscard]] result<options> parse_options(int count, const char* const* words);

} // namespace ferry::upscale
