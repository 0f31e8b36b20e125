// All pictures of a folder, one after the other. One that cannot be enlarged does not keep the others from it.
#pragma once

#include "gpu/upscale/program/enlarger.hpp"
#include "gpu/upscale/program/run_job.hpp"

#include <functional>

namespace ferry::upscale {

struct folder_outcome {
  std::int64_t pictures = 0; // enlarged
  std::vector<std::string> notes;
};

// Pictures are the files in it (not in folders below) that begin as PNG or JPEG do, or are named so; hidden ones are passed over.
// Each result has the name of its source and the format that its ending says. `output` is made if need be. Errors: invalid_argument
// (no picture in it; output is the folder itself); when some could not be enlarged: `damaged` where their content was at fault,
// otherwise the first fault's code, with each that failed in `problems` (the first hundred) — after all others are done.
[[nodiscard]] result<folder_outcome> run_folder(const upscale_job& job, const std::filesystem::path& output,
                                                const std::function<result<enlarger*>()>& make_enlarger, workplace& at);

// Reads, enlarges, writes. Errors name the file.
[[nodiscard]] result<picture> enlarge_file(const std::filesystem::path& source, const std::filesystem::path& output, int scale,
                                           const std::function<result<enlarger*>()>& make_enlarger, const tile_progress& progress);

} // namespace ferry::upscale
