// Amounts of memory as people write them.
#pragma once

#include "model/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ferry::upscale {

// "800MiB", "800M", "2GiB", "1.5G", "1073741824"; K, M, G and T are powers of 1024; 0 stands for no bound. Errors:
// invalid_argument.
[[nodiscard]] result<std::uint64_t> memory_size_from(std::string_view text);

// "1.5 GiB", "800 MiB".
[[nodiscard]] std::string memory_size_text(std::uint64_t bytes);

} // namespace ferry::upscale
