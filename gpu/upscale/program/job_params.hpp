// A job's parameters as the queue hands them over, checked. The queue's schema has seen them before; this program is also run by
// hand.
//   source          an absolute path: a picture, a folder of pictures, a video
//   output          a name in the job's folder: .png .jpg .jpeg for pictures, .mp4 .m4v .mkv .mov .webm for videos, any for a
//   folder model           slim (as it stands), medium, thick scale           2 (as it stands), 3, 4, 8 control_weight  0–1, how
//   much of the network; the rest is Lanczos. 1 as it stands prompt          a text; recorded in the result
#pragma once

#include "gpu/upscale/program/upscale_job.hpp"
#include "model/error.hpp"

#include <nlohmann/json_fwd.hpp>

namespace ferry::upscale {

// {"id":1,"params":{…},"dir":"…"}. Errors: invalid_argument with every problem.
[[nodiscard]] result<upscale_job> job_from(const nlohmann::json& document);

// The same rules for a job that was put together from options. Errors: invalid_argument with every problem.
[[nodiscard]] result<void> check_job(const upscale_job& job);

} // namespace ferry::upscale
