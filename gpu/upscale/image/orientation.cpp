#include "gpu/upscale/image/orientation.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ferry::upscale {
namespace {

constexpr unsigned orientation_tag = 0x0112, short_type = 3;
constexpr std::size_t entry_bytes = 12;

class tiff {
public:
  explicit tiff(std::span<const std::byte> bytes) : bytes_(bytes) {
    big_endian_ = bytes.size() >= 2 && bytes[0] == std::byte{'M'} && bytes[1] == std::byte{'M'};
    const bool little_endian = bytes.size() >= 2 && bytes[0] == std::byte{'I'} && bytes[1] == std::byte{'I'};
    valid_ = (big_endian_ || little_endian) && number(2, 2) == 42;
  }
  [[nodiscard]] bool valid() const { return valid_; }
  // 0 beyond the end.
  [[nodiscard]] std::size_t number(std::size_t at, std::size_t length) const {
    if (at > bytes_.size() || bytes_.size() - at < length)
      return 0;
    std::size_t value = 0;
    for (std::size_t i = 0; i < length; ++i)
      value = value << 8U | std::to_integer<std::size_t>(bytes_[at + (big_endian_ ? i : length - 1 - i)]);
    return value;
  }

private:
  std::span<const std::byte> bytes_;
  bool big_endian_ = false;
  bool valid_ = false;
};

// Where in the stored picture a pixel of the upright one lies.
struct place {
  int x = 0, y = 0;
};

place stored_place(int x, int y, int width, int height, int orientation) {
  switch (orientation) {
  case 2: return {width - 1 - x, y};
  case 3: return {width - 1 - x, height - 1 - y};
  case 4: return {x, height - 1 - y};
  case 5: return {y, x};
  case 6: return {y, height - 1 - x};
  case 7: return {width - 1 - y, height - 1 - x};
  case 8: return {width - 1 - y, x};
  default: return {x, y};
  }
}

} // namespace

int orientation_in(std::span<const std::byte> exif) {
  const tiff header(exif);
  if (!header.valid())
    return 1;
  const std::size_t directory = header.number(4, 4), entries = header.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * entry_bytes;
    if (header.number(entry, 2) != orientation_tag)
      continue;
    const std::size_t value = header.number(entry + 8, 2);
    const bool sound = header.number(entry + 2, 2) == short_type && header.number(entry + 4, 4) == 1 && value >= 1 && value <= 8;
    return sound ? static_cast<int>(value) : 1;
  }
  return 1;
}

picture turned_upright(picture stored, int orientation) {
  if (orientation < 2 || orientation > 8)
    return stored;
  picture upright = std::move(stored);
  const std::vector<std::uint16_t> samples = std::exchange(upright.samples, {});
  const int width = upright.width, height = upright.height;
  const auto channels = static_cast<std::size_t>(upright.channels);
  if (orientation >= 5)
    std::swap(upright.width, upright.height);
  upright.samples.resize(samples.size());
  std::uint16_t* to = upright.samples.data();
  for (int y = 0; y < upright.height; ++y)
    for (int x = 0; x < upright.width; ++x, to += channels) {
      const place from = stored_place(x, y, width, height, orientation);
      const std::size_t pixel =
          static_cast<std::size_t>(from.y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(from.x);
      std::copy_n(samples.data() + pixel * channels, channels, to);
    }
  return upright;
}

} // namespace ferry::upscale
