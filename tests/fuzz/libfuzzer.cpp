// The name by which libFuzzer calls.
#include "tests/fuzz/fuzz.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { // NOLINT: libFuzzer names it so
  ferry::fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
