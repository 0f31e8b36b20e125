// How numbers lie in device memory, for each precision, and the roundings between them and float.
//
// An activation is stored in planes: one plane holds 32 bytes of consecutive channels of every pixel (16 channels in fp16, 8 in
// fp32), pixel after pixel, row after row, image after image: NHWC in blocks of channels. A piece of one image's row is thus
// contiguous whatever the number of channels, and a concatenation is only a list of planes. Channels that pad the last plane are
// zero.
#pragma once

#include <bit>
#include <cstdint>

namespace ferry::upscale::cuda {

inline constexpr int pixel_bytes = 32;    // of one pixel in one plane
inline constexpr int group_channels = 16; // output channels that one group of weights makes
inline constexpr int group_bytes = 512;   // weights of one group for one tap of one plane, in every precision

struct fp16_numbers {
  static constexpr int plane_channels = 16;
  static constexpr bool tensor_cores = true;
};
struct tf32_numbers {
  static constexpr int plane_channels = 8;
  static constexpr bool tensor_cores = true;
};
struct fp32_numbers {
  static constexpr int plane_channels = 8;
  static constexpr bool tensor_cores = false;
};

// IEEE binary16, to the nearest, ties to even; too large becomes infinity. As cvt.rn.f16.f32.
[[nodiscard]] constexpr std::uint16_t half_from_float(float number) {
  const auto bits = std::bit_cast<std::uint32_t>(number);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U)
    return static_cast<std::uint16_t>(sign | 0x7E00U);
  if (magnitude >= 0x477FF000U) // 65520 and above round to infinity
    return static_cast<std::uint16_t>(sign | 0x7C00U);
  if (magnitude < 0x33000001U) // 2^-25 and below round to zero
    return sign;
  const int exponent = static_cast<int>(magnitude >> 23) - 127;
  const int dropped = exponent < -14 ? -exponent - 1 : 13; // bits of the 24-bit fraction that a half has no room for
  const std::uint32_t fraction = (magnitude & 0x7FFFFFU) | 0x800000U;
  const std::uint32_t kept = fraction >> dropped;
  const std::uint32_t rest = fraction & ((1U << dropped) - 1U);
  const std::uint32_t middle = 1U << (dropped - 1);
  const std::uint32_t up = rest > middle || (rest == middle && (kept & 1U) != 0) ? 1U : 0U;
  // A carry out of the fraction is the next exponent, which is what it should be.
  const std::uint32_t head = exponent < -14 ? 0U : static_cast<std::uint32_t>(exponent + 14) << 10;
  return static_cast<std::uint16_t>(sign | (head + kept + up));
}

[[nodiscard]] constexpr float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1FU;
  std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 31)
    return std::bit_cast<float>(sign | 0x7F800000U | (fraction << 13));
  if (exponent != 0)
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  if (fraction == 0)
    return std::bit_cast<float>(sign);
  std::uint32_t shift = 0;
  while ((fraction & 0x400U) == 0) {
    fraction <<= 1;
    ++shift;
  }
  return std::bit_cast<float>(sign | ((113 - shift) << 23) | ((fraction & 0x3FFU) << 13));
}

// To the 10 bits of fraction that tf32 has, to the nearest, ties away from zero. As cvt.rna.tf32.f32.
[[nodiscard]] constexpr float round_to_tf32(float number) {
  const auto bits = std::bit_cast<std::uint32_t>(number);
  if ((bits & 0x7F800000U) == 0x7F800000U)
    return number;
  return std::bit_cast<float>((bits + 0x1000U) & 0xFFFFE000U);
}

} // namespace ferry::upscale::cuda
