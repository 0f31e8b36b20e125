// JPEG by libjpeg-turbo. What codec.hpp promises, for a file that is open.
#pragma once

#include "gpu/upscale/image/picture.hpp"
#include "model/error.hpp"

#include <cstdio>
#include <filesystem>

namespace ferry::upscale {

// `name` is for errors.
[[nodiscard]] result<picture> read_jpeg(std::FILE* file, const std::filesystem::path& name);
// Alpha is left out.
[[nodiscard]] result<void> write_jpeg(const picture& source, std::FILE* file, const std::filesystem::path& name);

} // namespace ferry::upscale
