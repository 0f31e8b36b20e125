// A SHA-256 over bytes that come piece by piece.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace ferry::cli {

class sha256 {
public:
  sha256();
  ~sha256();

  void add(std::string_view bytes);
  // 64 hexadecimal digits. Nothing may be added afterwards.
  [[nodiscard]] std::string finish();

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace ferry::cli
