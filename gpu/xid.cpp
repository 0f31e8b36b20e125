#include "gpu/xid.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace ferry::gpu {
namespace {

constexpr std::array harmless{13U, 31U, 43U, 45U, 63U, 68U, 92U, 94U, 109U};

constexpr std::array<std::pair<unsigned, const char*>, 8> names{{{48, "double-bit memory error"},
                                                                 {62, "internal micro-controller halt"},
                                                                 {64, "memory row could not be remapped"},
                                                                 {74, "NVLink error"},
                                                                 {79, "it has fallen off the bus"},
                                                                 {95, "uncontained memory error"},
                                                                 {119, "no answer from its system processor"},
                                                                 {120, "error of its system processor"}}};

} // namespace

std::optional<std::string> trouble_of_xid(unsigned number) {
  if (std::find(harmless.begin(), harmless.end(), number) != harmless.end())
    return std::nullopt;
  std::string text = "Xid " + std::to_string(number);
  for (const auto& [known, name] : names)
    if (known == number)
      text += ": " + std::string(name);
  return text;
}

} // namespace ferry::gpu
