// Texts and numbers as one number of 64 bits (FNV-1a), to know a key again without keeping it. Equal for equal input in every run
// of ferry, so it may be stored. Two keys that meet by chance share what is learnt of them, no more.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace ferry::scheduling {

class fingerprint {
public:
  fingerprint& add(std::string_view text) {
    for (const char c : text)
      add_byte(static_cast<unsigned char>(c));
    add_byte(0xFFU); // in no UTF-8 text: "ab", "c" is not "a", "bc"
    return *this;
  }
  fingerprint& add(std::uint64_t number) {
    for (unsigned shift = 0; shift < 64; shift += 8)
      add_byte((number >> shift) & 0xFFU);
    return *this;
  }
  fingerprint& add(double number) { return add(std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number)); } // −0 is 0

  [[nodiscard]] std::uint64_t value() const { return hash_; }

private:
  void add_byte(std::uint64_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3U; }

  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

} // namespace ferry::scheduling
