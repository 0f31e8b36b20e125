// PNG by libpng. What codec.hpp promises, for a file that is open.
#pragma once

#include "gpu/upscale/image/picture.hpp"
#include "model/error.hpp"

#include <cstdio>
#include <filesystem>

namespace ferry::upscale {

// `name` is for errors.
[[nodiscard]] result<picture> read_png(std::FILE* file, const std::filesystem::path& name);
[[nodiscard]] result<void> write_png(const picture& source, std::FILE* file, const std::filesystem::path& name);

} // namespace ferry::upscale
