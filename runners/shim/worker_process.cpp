#include "runners/shim/worker_process.hpp"

#include "config/limits.hpp"
#include "runners/process_table.hpp"
#include "runners/shim/job_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;

constexpr auto grace_max = std::chrono::milliseconds(24h);
constexpr auto leftovers_grace = 2s;        // for what outlives it
constexpr std::size_t piece_bytes = 65'536; // what a pipe holds
constexpr int pieces_a_look = 16;           // so that one that never stops printing does not keep the shim from all else

struct pipe_ends {
  descriptor read, write;
};

result<pipe_ends> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail(system_error("cannot make a pipe to a worker", errno));
  return pipe_ends{descriptor(ends[0]), descriptor(ends[1])};
}

void never_wait(const descriptor& end) { ::fcntl(end.get(), F_SETFL, ::fcntl(end.get(), F_GETFL) | O_NONBLOCK); }

} // namespace

worker_process::worker_process(run_spec first, descriptor lock, descriptor directory)
    : spec_(std::move(first)), lock_(std::move(lock)), directory_(std::move(directory)), lines_(limits::worker_said_bytes_max) {}

result<void> worker_process::start(shim_record& shim) {
  auto in = make_pipe(), out = make_pipe(), errors = make_pipe();
  for (auto* each : {&in, &out, &errors})
    if (!*each)
      return fail(std::move(each->error()));
  if (auto written = shim.put_into(directory_.get()); !written)
    return fail(std::move(written.error()));
  start_ticks_.first = ticks_since_boot();
  auto made = waiting_process::make(spec_, {.input = in->read.get(), .output = out->write.get(), .errors = errors->write.get()});
  if (!made)
    return fail(std::move(made.error()));
  start_ticks_.second = ticks_since_boot();
  if (auto gone = made->let_go(); !gone)
    return fail(std::move(gone.error()));
  process_ = process_tree(made->pid());
  input_ = std::move(in->write);
  output_ = std::move(out->read);
  errors_ = std::move(errors->read);
  for (const descriptor* end : {&input_, &output_, &errors_})
    never_wait(*end);
  return {};
}

void worker_process::watch(std::vector<pollfd>& sources) const {
  sources.push_back({output_ ? output_.get() : -1, POLLIN, 0});
  sources.push_back({errors_ ? errors_.get() : -1, POLLIN, 0});
  sources.push_back({input_ && !untold_.empty() ? input_.get() : -1, POLLOUT, 0});
}

template <class Feed>
bool worker_process::read_all(descriptor& from, const Feed& feed) {
  std::array<char, piece_bytes> room{};
  for (int pieces = 0; pieces < pieces_a_look; ++pieces) {
    const ssize_t size = ::read(from.get(), room.data(), room.size());
    if (size < 0 && errno == EINTR)
      continue;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return true;
    if (size <= 0)
      return false;
    feed(std::string_view(room.data(), static_cast<std::size_t>(size)));
    if (static_cast<std::size_t>(size) < room.size())
      return true;
  }
  return true;
}

void worker_process::hear(const std::vector<pollfd>& sources, std::size_t first, const listener& to) {
  if (sources.at(first + 1).revents != 0 && !read_all(errors_, to.printed))
    errors_.reset();
  if (sources.at(first).revents != 0 && !read_all(output_, [&](std::string_view bytes) { lines_.feed(bytes, to.said); })) {
    if (!lines_.pending().empty())
      lines_.feed("\n", to.said);
    output_.reset();
  }
  if (sources.at(first + 2).revents != 0)
    flush();
}

void worker_process::tell(const json& line) {
  untold_ += line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  flush();
}

void worker_process::flush() {
  while (input_ && !untold_.empty()) {
    const ssize_t size = ::write(input_.get(), untold_.data(), untold_.size());
    if (size < 0 && errno == EINTR)
      continue;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!deaf_since_)
        deaf_since_ = clock::now();
      return;
    }
    if (size < 0) { // it has closed its input: it is about to end, or its jobs will not
      input_.reset();
      break;
    }
    untold_.erase(0, static_cast<std::size_t>(size));
    deaf_since_.reset();
  }
  if (!input_)
    untold_.clear();
  if (untold_.empty())
    deaf_since_.reset();
}

void worker_process::end(std::chrono::milliseconds grace) {
  const auto until = clock::now() + std::clamp(grace, 0ms, grace_max);
  if (stage_ == stage::living) {
    stage_ = stage::asked_to_end;
    due_ = until;
    input_.reset();
    process_.ask_to_end();
  } else if (stage_ == stage::asked_to_end) {
    due_ = std::min(due_, until);
  }
}

void worker_process::proceed() {
  process_.reap();
  if (process_.is_gone()) {
    // What is left in the pipes is read to its end; nobody can write to them any more but by a descriptor that was passed on.
    if (stage_ != stage::killing) {
      stage_ = stage::killing;
      due_ = clock::now() + leftovers_grace;
    } else if (clock::now() >= due_) {
      output_.reset();
      errors_.reset();
    }
    return;
  }
  if (process_.status() && stage_ == stage::living)
    end(leftovers_grace);
  if (stage_ == stage::asked_to_end && clock::now() >= due_)
    stage_ = stage::killing;
  if (stage_ == stage::killing && clock::now() >= due_)
    due_ = process_.kill();
}

worker_process::clock::time_point worker_process::next_due() const {
  return stage_ == stage::living ? clock::time_point::max() : due_;
}

} // namespace ferry::runners
