#include "runners/shim/supervisor.hpp"

#include <algorithm>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;
using clock = supervised_run::clock;

constexpr std::size_t followers_max = 8;
constexpr auto control_pause = 500ms; // between tries to make control.sock on a full disk
// A daemon that listens stores the end of a run by itself, at once and durably. Behind that, records are synced a few together: one
// sync a run would make every short run wait for the disk's journal, and every commit of the daemon too.
constexpr auto sync_pause = 50ms;
constexpr std::size_t unsynced_max = 64;

int milliseconds_until(clock::time_point due) {
  if (due == clock::time_point::max())
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - clock::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds>(left, 0ms, 1h).count());
}

} // namespace

supervisor::supervisor(descriptor launcher, descriptor child_signals)
    : launcher_(std::move(launcher)), child_signals_(std::move(child_signals)) {}

void supervisor::serve() {
  while (launcher_ || run_) {
    wait();
    if (!unsynced_.empty() && clock::now() >= sync_due_)
      sync_records();
    if (!run_)
      continue;
    if (!launcher_ && !control_ && clock::now() >= control_due_)
      open_control();
    run_->proceed();
    if (run_->is_over())
      let_go_of_run();
  }
  sync_records();
}

void supervisor::wait() {
  const short for_launcher = missed_ ? POLLIN | POLLOUT : POLLIN;
  std::vector<pollfd> sources{{launcher_.get(), for_launcher, 0}, {child_signals_.get(), POLLIN, 0}, {control_.get(), POLLIN, 0}};
  for (const descriptor& follower : followers_)
    sources.push_back({follower.get(), POLLIN, 0});
  auto due = run_ ? run_->next_due() : clock::time_point::max();
  if (run_ && !launcher_ && !control_)
    due = std::min(due, control_due_);
  if (!unsynced_.empty())
    due = std::min(due, sync_due_);
  if (::poll(sources.data(), sources.size(), milliseconds_until(due)) <= 0)
    return;
  if (sources[1].revents != 0) {
    signalfd_siginfo which{};
    [[maybe_unused]] const auto size = ::read(child_signals_.get(), &which, sizeof which); // what ended is found by waiting for it
  }
  if ((sources[0].revents & POLLOUT) != 0)
    catch_up();
  if ((sources[0].revents & ~POLLOUT) != 0)
    hear_launcher();
  for (std::size_t i = 0; i < followers_.size(); ++i)
    if (sources[i + 3].revents != 0)
      hear_follower(followers_[i]);
  std::erase_if(followers_, [](const descriptor& follower) { return !follower; });
  if (sources[2].revents != 0)
    admit_follower();
}

void supervisor::hear_launcher() {
  switch (receive(launcher_.get(), received_)) {
  case receipt::got: obey(received_); break;
  case receipt::closed: launcher_is_gone(); break;
  case receipt::nothing_yet: break;
  }
}

void supervisor::hear_follower(descriptor& from) {
  switch (receive(from.get(), received_)) {
  case receipt::got: obey(received_); break;
  case receipt::closed: from.reset(); break;
  case receipt::nothing_yet: break;
  }
}

void supervisor::obey(packet& received) {
  const json command = json::parse(received.bytes, nullptr, false);
  try {
    const std::string type = command.at("type").get<std::string>();
    if (type == "run" && !run_ && received.descriptors.size() == 2)
      start_run(command, std::move(received.descriptors[0]), std::move(received.descriptors[1]));
    const bool mine = run_ && command.value("batch", std::int64_t{0}) == run_->batch().value;
    if (type == "stop" && mine)
      run_->stop({run_->batch(), command.value("reason", std::string()),
                  std::chrono::milliseconds{command.value("grace_ms", std::int64_t{0})}});
  } catch (const json::exception&) {
    // A daemon of another version: what is not understood is not done.
  }
}

void supervisor::start_run(const json& command, descriptor lock, descriptor directory) {
  const auto given = command.find("spec");
  auto spec = given == command.end() ? read_spec(directory.get()) : run_spec_from(*given);
  const auto announcer = [this](const notice& what) { announce(what); };
  if (!spec) {
    run_spec unknown;
    unknown.batch = batch_id{command.value("batch", std::int64_t{0})};
    run_.emplace(std::move(unknown), std::move(lock), std::move(directory), announcer);
    run_->refuse(spec.error().what);
    return;
  }
  run_.emplace(std::move(*spec), std::move(lock), std::move(directory), announcer);
  if (run_->start(identity_))
    return;
  // There is nowhere to say so but by being gone; without shim.json the run counts as never started.
  run_.reset();
  launcher_.reset();
}

void supervisor::announce(const notice& what) {
  const std::string packet = to_packet(what);
  // Who does not listen misses it: the file has it, and the next notice makes them look there.
  if (launcher_ && !send(launcher_.get(), packet) && what.what == notice::kind::events)
    missed_ = what.batch;
  for (const descriptor& follower : followers_)
    send(follower.get(), packet);
}

void supervisor::catch_up() {
  if (missed_ && send(launcher_.get(), to_packet(notice{notice::kind::events, *missed_, -1, {}})))
    missed_.reset();
}

void supervisor::launcher_is_gone() {
  launcher_.reset();
  missed_.reset();
  control_due_ = clock::now();
}

void supervisor::open_control() {
  control_due_ = clock::now() + control_pause;
  descriptor listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener)
    return;
  ::unlinkat(run_->directory(), run_file::control, 0);
  const sockaddr_un address = control_address(run_->directory());
  const mode_t before = ::umask(0177);
  const int bound = ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(before);
  if (bound == 0 && ::listen(listener.get(), static_cast<int>(followers_max)) == 0)
    control_ = std::move(listener);
}

void supervisor::admit_follower() {
  descriptor follower(::accept4(control_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!follower || followers_.size() >= followers_max)
    return;
  // What was written before it came is in the file.
  if (run_)
    send(follower.get(), to_packet(notice{notice::kind::events, run_->batch(), -1, {}}));
  followers_.push_back(std::move(follower));
}

void supervisor::let_go_of_run() {
  if (control_)
    ::unlinkat(run_->directory(), run_file::control, 0);
  if (unsynced_.empty())
    sync_due_ = clock::now() + sync_pause;
  unsynced_.push_back(run_->take_record());
  if (!launcher_ || unsynced_.size() >= unsynced_max)
    sync_records();
  run_.reset();
}

void supervisor::sync_records() {
  for (const descriptor& record : unsynced_)
    ::fdatasync(record.get());
  unsynced_.clear();
}

} // namespace ferry::runners
