// SIGTERM and SIGINT ask this program to stop at the next tile or frame. SIGPIPE is ignored: a reader that went away is an error of
// that write alone.
#pragma once

namespace ferry::upscale {

void catch_stop_signals();

// The first of them that came; 0: none.
[[nodiscard]] int stop_signal();

// Becomes readable when one comes, and stays so.
[[nodiscard]] int stop_descriptor();

} // namespace ferry::upscale
