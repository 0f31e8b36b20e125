// Seeds of the property tests: a fixed set, or the one in FERRY_TEST_SEED to repeat a failure.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

namespace ferry::tests {

inline std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* one = std::getenv("FERRY_TEST_SEED"))
    return {std::strtoull(one, nullptr, 10)};
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= count; ++seed)
    all.push_back(seed);
  return all;
}

} // namespace ferry::tests
