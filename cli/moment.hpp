// When a job is to start, as it is typed.
#pragma once

#include "model/error.hpp"
#include "model/time.hpp"

#include <string>

namespace ferry::cli {

// "90s", "30m", "2h", "1d12h". Errors: invalid_argument, which names the option.
[[nodiscard]] result<duration> duration_from(const std::string& option, const std::string& text);
// "22:00" (the next time it is), "2026-12-24 18:00", in local time. Errors: invalid_argument, also for what has passed.
[[nodiscard]] result<instant> moment_from(const std::string& text, instant now);

} // namespace ferry::cli
