// How a camera was held: the Orientation tag (0x0112) of EXIF, and turning a picture upright by it.
#pragma once

#include "gpu/upscale/image/picture.hpp"

#include <cstddef>
#include <span>

namespace ferry::upscale {

// 1–8 from a TIFF header and its first directory, as EXIF 2.3 stores it (a JPEG's APP1 after "Exif\0\0", a PNG's eXIf). 1, which is
// upright, where there is none or where it cannot be read: a damaged tag is no reason to refuse a picture.
[[nodiscard]] int orientation_in(std::span<const std::byte> exif);

// The stored picture as it is to be seen.
[[nodiscard]] picture turned_upright(picture stored, int orientation);

} // namespace ferry::upscale
