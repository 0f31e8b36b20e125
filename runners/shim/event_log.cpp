#include "runners/shim/event_log.hpp"

#include <cerrno>
#include <fcntl.h>

namespace ferry::runners {
namespace {

// Texts come from programs and file systems, which promise no UTF-8.
std::string as_line(const json& line) { return line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

} // namespace

result<void> event_log::open(int directory) {
  file_.reset(::openat(directory, run_file::events, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file_)
    return fail(system_error("cannot create events.jsonl", errno));
  return {};
}

void event_log::add(const json& line) { waiting_ += as_line(line); }

bool event_log::flush() {
  while (written_ < waiting_.size()) {
    const ssize_t size = ::write(file_.get(), waiting_.data() + written_, waiting_.size() - written_);
    if (size < 0 && errno == EINTR)
      continue;
    if (size < 0)
      return false;
    written_ += static_cast<std::size_t>(size);
  }
  if (!waiting_.empty())
    announce_({notice::kind::events, batch_, offset_, waiting_});
  offset_ += static_cast<std::int64_t>(waiting_.size());
  waiting_.clear();
  written_ = 0;
  return true;
}

void event_log::pass(const json& line) const { announce_({notice::kind::passing, batch_, 0, as_line(line)}); }

} // namespace ferry::runners
