// Expected failures travel as values of one type. An error says what went wrong, where, and how to mend it; where one input has
// several faults, each stands in `problems` (nothing is refused piecemeal). Exceptions stay inside a layer.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace ferry {

// One name a code for the HTTP status it maps to and the exit status that `ferry` ends with.
enum class error_code {
  invalid_argument, // the input breaks a rule; sending it again unchanged will fail again
  not_found,        // no such job, type or file
  conflict,         // the state forbids it: cancelling a finished job, editing a running one
  too_large,        // a bound of config/limits.hpp is exceeded
  unauthorized,     // no token, or a wrong one
  forbidden,        // known who asks, but this is not for them; or a page of another site asks
  disk_full,        // nothing was stored; works again once there is room
  unavailable,      // the daemon is stopping or restarting a part; trying again is right
  damaged,          // stored data cannot be read
  out_of_memory,    // of a device or of the host; smaller work may fit
  locked,           // another daemon owns the data directory
  newer_version,    // the data was written by a newer ferry
  io,               // the operating system refused an operation
  internal,         // a fault of ferry's own
};

[[nodiscard]] std::string_view to_string(error_code code);

// One fault of an input. `where` is a dotted key or a JSON pointer, `file` and `line` (1-based, 0: unknown) are set for files.
struct problem {
  std::string where;
  std::string what;
  std::string hint;
  std::string file = {};
  int line = 0;
};

struct error {
  error_code code = error_code::internal;
  std::string what;      // one sentence: the key, the value and the bound
  std::string hint = {}; // how to mend it; may be empty
  std::vector<problem> problems = {};
};

// The whole error as text, a line a problem: `file:line: where: what (hint)`.
[[nodiscard]] std::string to_string(const error& e);

template <class T>
using result = tl::expected<T, error>;

[[nodiscard]] inline tl::unexpected<error> fail(error_code code, std::string what, std::string hint = {}) {
  return tl::unexpected<error>(error{code, std::move(what), std::move(hint), {}});
}
[[nodiscard]] inline tl::unexpected<error> fail(error e) { return tl::unexpected<error>(std::move(e)); }

} // namespace ferry
