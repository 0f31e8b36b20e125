// What the queue and the optimizer say of themselves, for anyone to read without asking an actor. They write in the same step in
// which they change and before they answer, so whoever has been answered finds his own change here.
#pragma once

#include "scheduling/device_ledger.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace ferry::actors {

struct queue_counts {
  std::size_t queued = 0, held = 0, running = 0;
  std::int64_t completed = 0, failed = 0, cancelled = 0;
};

using held_type_reasons = std::map<std::string, std::string>;

class status_board {
public:
  struct snapshot {
    std::uint64_t edition = 0; // differs whenever anything else does
    bool paused = false;
    queue_counts counts;
    held_type_reasons held_types;
    std::shared_ptr<const scheduling::device_ledger> devices; // null before there is an optimizer
  };

  // `held_types`: names, with the reason.
  void publish(bool paused, const queue_counts& counts, held_type_reasons held_types);
  void publish(const scheduling::device_ledger& devices);

  [[nodiscard]] snapshot read() const;
  [[nodiscard]] std::uint64_t edition() const;

private:
  mutable std::mutex mutex_;
  snapshot now_;
};

} // namespace ferry::actors
