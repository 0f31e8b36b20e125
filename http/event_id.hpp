// Where a stream of events is, as its reader names it when it comes back.
#pragma once

#include "model/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ferry::http {

// Where in a log a reader is: a log is of one run.
struct log_place {
  batch_id batch;
  std::int64_t offset = 0; // negative: from the end
};

// The id of an event: "<start of the daemon>-<number>", and behind it "-<batch>-<offset>" where a log is followed.
struct event_id {
  std::string start;
  std::uint64_t number = 0;
  std::optional<log_place> log = {};
};
[[nodiscard]] std::string to_text(const event_id& id);
[[nodiscard]] std::optional<event_id> event_id_from(std::string_view text);

} // namespace ferry::http
