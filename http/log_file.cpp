#include "http/log_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ferry::http {

result<log_chunk> read_log_file(const std::filesystem::path& file, std::int64_t offset, std::size_t limit) {
  log_chunk chunk{.offset = std::max<std::int64_t>(0, offset), .bytes = {}, .at_end = true};
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT)
      return chunk;
    return fail(error_code::io, "the log cannot be read: " + std::string(std::strerror(errno)));
  }
  struct stat about {};
  ::fstat(fd, &about);
  const std::int64_t size = about.st_size;
  if (offset < 0)
    chunk.offset = std::max<std::int64_t>(0, size + std::max(offset, -size));
  chunk.bytes.resize(std::min<std::size_t>(limit, static_cast<std::size_t>(std::max<std::int64_t>(0, size - chunk.offset))));
  std::size_t have = 0;
  while (have < chunk.bytes.size()) {
    const auto n =
        ::pread(fd, chunk.bytes.data() + have, chunk.bytes.size() - have, chunk.offset + static_cast<std::int64_t>(have));
    if (n <= 0)
      break;
    have += static_cast<std::size_t>(n);
  }
  ::close(fd);
  chunk.bytes.resize(have);
  chunk.at_end = chunk.offset + static_cast<std::int64_t>(have) >= size;
  return chunk;
}

} // namespace ferry::http
