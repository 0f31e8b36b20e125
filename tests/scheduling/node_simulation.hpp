// A head and its nodes through minutes of bad luck: messages lost, late, twice and in another order; links cut one way and both;
// daemons killed and stopped, machines without power, another machine under an old name. After each step it is checked that no job
// runs twice at a time, that nothing runs which the head has given up, and the invariants of the book; in the end, when everything
// is well again, that each job has ended once.
#pragma once

#include "simulated_world.hpp"

namespace ferry::scheduling::test {

struct simulated {
  std::optional<std::string> broken = {}; // what went wrong, and when; nothing: all is well
  tally seen = {};
};
// The same seed and flaw tell the same story.
[[nodiscard]] simulated simulate_nodes(std::uint64_t seed, flaw wrong = flaw::none);

} // namespace ferry::scheduling::test
