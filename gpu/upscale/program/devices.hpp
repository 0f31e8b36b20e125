// What this program can compute on, for people.
#pragma once

#include <string>

namespace ferry::upscale {

// Lines: the processor's instruction sets and threads, the GPUs or why there are none, the version of ffmpeg or that it is missing.
[[nodiscard]] std::string describe_devices();

} // namespace ferry::upscale
