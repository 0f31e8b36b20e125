// Writes when it began (CLOCK_MONOTONIC, nanoseconds, 8 bytes) to the FIFO named by its argument.
#include <cstdint>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (argc != 2)
    return 2;
  const std::int64_t stamp = static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
  const int fifo = open(argv[1], O_WRONLY | O_CLOEXEC);
  return fifo >= 0 && write(fifo, &stamp, sizeof stamp) == static_cast<ssize_t>(sizeof stamp) ? 0 : 1;
}
