// What every fuzzer here defines, and has: built with -DFERRY_FUZZ=ON (clang) libFuzzer calls it, else replay.cpp with what is kept
// in tests/fuzz/corpus.
#pragma once

#include <cstdlib>
#include <string_view>

namespace ferry {

// Must take any bytes.
void fuzz(std::string_view bytes);

// What holds whatever the bytes are.
inline void must(bool holds) {
  if (!holds)
    std::abort();
}

} // namespace ferry
