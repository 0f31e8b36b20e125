#include "gpu/upscale/program/memory_size.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace ferry::upscale {
namespace {

constexpr std::uint64_t mib = 1024 * 1024;
constexpr std::string_view units = "KMGT";

} // namespace

result<std::uint64_t> memory_size_from(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  double factor = 1;
  if (!unit.empty()) {
    const auto power = units.find(unit.front());
    const bool known = power != std::string_view::npos && (unit.size() == 1 || unit.substr(1) == "iB" || unit.substr(1) == "B");
    for (std::size_t i = 0; known && i <= power; ++i)
      factor *= 1024;
    if (!known && unit != "B")
      factor = 0;
  }
  const double bytes = number * factor;
  const bool nothing = number == 0 && factor > 0;
  if (problem != std::errc{} || !(nothing || bytes >= static_cast<double>(mib)) || bytes > 1e15)
    return fail(error_code::invalid_argument, "\"" + std::string(text) + "\" is neither 0 nor an amount of memory of 1MiB or more",
                "write it as 800MiB or 2GiB");
  return static_cast<std::uint64_t>(bytes);
}

std::string memory_size_text(std::uint64_t bytes) {
  std::array<char, 32> text{};
  if (bytes >= 1024 * mib)
    std::snprintf(text.data(), text.size(), "%.1f GiB", static_cast<double>(bytes) / static_cast<double>(1024 * mib));
  else
    std::snprintf(text.data(), text.size(), "%llu MiB", static_cast<unsigned long long>((bytes + mib - 1) / mib));
  return text.data();
}

} // namespace ferry::upscale
