// An answer between machines: what was asked for, or an error of the daemon's (model/error.hpp) as it travels.
#pragma once

#include "model/error.hpp"

#include <string>
#include <variant>
#include <vector>

namespace ferry::remote {

struct refusal {
  std::string code, what, hint;
  std::vector<std::string> problems; // one line each
};
template <class T>
using answer = std::variant<T, refusal>;

template <class Inspector>
bool inspect(Inspector& f, refusal& x) {
  return f.object(x).fields(f.field("code", x.code), f.field("what", x.what), f.field("hint", x.hint),
                            f.field("problems", x.problems));
}

[[nodiscard]] refusal to_refusal(const error& e);
[[nodiscard]] error to_error(const refusal& r);

} // namespace ferry::remote
