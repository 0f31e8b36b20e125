#include "runners/shim/shim_record.hpp"

#include "runners/process_table.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace ferry::runners {

shim_record::shim_record() {
  const auto self = find_process(::getpid());
  text_ = to_json(shim_identity{::getpid(), self ? self->start_ticks : 0, boot_id()}).dump() + "\n";
}

result<void> shim_record::put_into(int directory) {
  if (written_) {
    const std::string source = "/proc/self/fd/" + std::to_string(written_.get());
    if (::linkat(AT_FDCWD, source.c_str(), directory, run_file::shim, AT_SYMLINK_FOLLOW) == 0)
      return {};
    written_.reset(); // its last name is gone, or it has as many as a file can have
  }
  if (auto written = write_whole(directory, run_file::shim, text_); !written)
    return written;
  written_.reset(::openat(directory, run_file::shim, O_RDONLY | O_CLOEXEC));
  return {};
}

} // namespace ferry::runners
