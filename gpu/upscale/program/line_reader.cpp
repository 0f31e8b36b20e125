#include "gpu/upscale/program/line_reader.hpp"

namespace ferry::upscale {

void line_reader::take(std::string_view piece) {
  if (pending_.size() + piece.size() > line_bytes_max_) {
    dropping_ = true;
    pending_.clear();
    pending_.shrink_to_fit();
  }
  if (!dropping_)
    pending_ += piece;
}

} // namespace ferry::upscale
