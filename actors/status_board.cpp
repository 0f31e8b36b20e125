#include "actors/status_board.hpp"

#include <atomic>
#include <utility>

namespace ferry::actors {
namespace {

// One count for all boards: the board that follows a restart of the actors never repeats an edition of the one before.
std::uint64_t next_edition() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

} // namespace

void status_board::publish(bool paused, const queue_counts& counts, held_type_reasons held_types) {
  const std::lock_guard lock(mutex_);
  now_.edition = next_edition();
  now_.paused = paused;
  now_.counts = counts;
  now_.held_types = std::move(held_types);
}

void status_board::publish(const scheduling::device_ledger& devices) {
  auto copy = std::make_shared<const scheduling::device_ledger>(devices);
  const std::lock_guard lock(mutex_);
  now_.edition = next_edition();
  now_.devices = std::move(copy);
}

status_board::snapshot status_board::read() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::uint64_t status_board::edition() const {
  const std::lock_guard lock(mutex_);
  return now_.edition;
}

} // namespace ferry::actors
