// The body of an answer that is a file, or a part of one, read piece by piece. Files are read on the HTTP thread: what a job wrote
// lately is in the page cache, and a piece that is not costs the others one read of a disk.
#pragma once

#include "http/body_source.hpp"
#include "http/byte_range.hpp"
#include "runners/descriptor.hpp"

namespace ferry::http {

inline constexpr std::size_t file_piece_bytes = 256 * 1024;

// Up to `most` bytes of it from `offset`. Errors: io (also: the file has become shorter than that).
[[nodiscard]] result<std::string> read_piece(const runners::descriptor& file, std::uint64_t offset, std::uint64_t most);

class file_body final : public body_source {
public:
  file_body(runners::descriptor file, byte_range what) : file_(std::move(file)), left_(what), bytes_(what.count) {}

  // The length was told before the first piece: a file that shrinks meanwhile is an error, one that grows is cut.
  [[nodiscard]] boost::asio::awaitable<result<std::string>> next() override;
  [[nodiscard]] std::optional<std::uint64_t> length() const override { return bytes_; }

private:
  runners::descriptor file_;
  byte_range left_;
  std::uint64_t bytes_;
};

} // namespace ferry::http
