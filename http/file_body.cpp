#include "http/file_body.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ferry::http {

result<std::string> read_piece(const runners::descriptor& file, std::uint64_t offset, std::uint64_t most) {
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(most, file_piece_bytes)), '\0');
  for (;;) {
    const auto size = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (size < 0 && errno == EINTR)
      continue;
    if (size < 0)
      return fail(error_code::io, "a file of a job cannot be read: " + std::string(std::strerror(errno)));
    if (size == 0 && !bytes.empty())
      return fail(error_code::io, "a file of a job has become shorter while it was read");
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
  }
}

boost::asio::awaitable<result<std::string>> file_body::next() {
  if (left_.count == 0)
    co_return std::string();
  auto piece = read_piece(file_, left_.first, left_.count);
  if (piece) {
    left_.first += piece->size();
    left_.count -= piece->size();
  }
  co_return piece;
}

} // namespace ferry::http
