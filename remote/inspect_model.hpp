// How CAF writes ferry's own values: ids, notes, outcomes, devices. For messages that leave the process only; what comes in is
// checked, for the other side may be a newer ferry, or none.
#pragma once

#include "model/device.hpp"
#include "model/error.hpp"
#include "model/ids.hpp"
#include "model/job.hpp"
#include "scheduling/outcome.hpp"

#include <caf/inspector_access.hpp>
#include <string>
#include <string_view>

namespace ferry::remote {

// As a number, refused where it is beyond `last`.
template <class Inspector, class Enum>
auto number_field(Inspector& f, std::string_view name, Enum& x, Enum last) {
  return f.field(
      name, [&x] { return static_cast<std::int32_t>(x); },
      [&x, last](std::int32_t n) {
        if (n < 0 || n > static_cast<std::int32_t>(last))
          return false;
        x = static_cast<Enum>(n);
        return true;
      });
}

// As JSON text. What no JSON can hold (numbers that are none, bytes that are not UTF-8) becomes null, or a replacement character.
template <class Inspector>
auto json_field(Inspector& f, std::string_view name, json& x) {
  return f.field(
      name, [&x] { return x.dump(-1, ' ', false, json::error_handler_t::replace); },
      [&x](const std::string& text) {
        x = json::parse(text, nullptr, false);
        return !x.is_discarded();
      });
}

} // namespace ferry::remote

namespace ferry {

template <class Inspector, class Tag>
bool inspect(Inspector& f, strong_id<Tag>& x) {
  return f.object(x).fields(f.field("value", x.value));
}
template <class Inspector>
bool inspect(Inspector& f, problem& x) {
  return f.object(x).fields(f.field("where", x.where), f.field("what", x.what), f.field("hint", x.hint));
}
template <class Inspector>
bool inspect(Inspector& f, error& x) {
  return f.object(x).fields(remote::number_field(f, "code", x.code, error_code::internal), f.field("what", x.what),
                            f.field("hint", x.hint), f.field("problems", x.problems));
}
template <class Inspector>
bool inspect(Inspector& f, device& x) {
  return f.object(x).fields(f.field("id", x.id), remote::number_field(f, "kind", x.kind, device_kind::gpu), f.field("name", x.name),
                            f.field("slots", x.slots), f.field("memory_mib", x.memory_mib), f.field("threads", x.threads),
                            f.field("job_types", x.job_types), f.field("labels", x.labels));
}
template <class Inspector>
bool inspect(Inspector& f, progress& x) {
  return f.object(x).fields(f.field("fraction", x.fraction), f.field("step", x.step), f.field("total", x.total),
                            f.field("message", x.message), f.field("metrics", x.metrics));
}
template <class Inspector>
bool inspect(Inspector& f, failure& x) {
  return f.object(x).fields(remote::number_field(f, "kind", x.kind, failure_kind::needs), f.field("message", x.message),
                            f.field("exit_status", x.exit_status), f.field("signal", x.signal));
}
template <class Inspector>
bool inspect(Inspector& f, run_note& x) {
  return f.object(x).fields(remote::number_field(f, "what", x.what, note_kind::promised), f.field("at", x.at),
                            remote::json_field(f, "detail", x.detail));
}
template <class Inspector>
bool inspect(Inspector& f, checkpoint& x) {
  return f.object(x).fields(f.field("job", x.job), f.field("batch", x.batch), f.field("path", x.path), f.field("step", x.step));
}
template <class Inspector>
bool inspect(Inspector& f, job_part& x) {
  return f.object(x).fields(f.field("first", x.first), f.field("count", x.count), f.field("of", x.of));
}

} // namespace ferry

namespace ferry::scheduling {

template <class Inspector>
bool inspect(Inspector& f, job_outcome& x) {
  auto interrupted = f.field(
      "interrupted", [&x] { return x.interrupted ? static_cast<std::int32_t>(*x.interrupted) : -1; },
      [&x](std::int32_t n) {
        if (n < -1 || n > static_cast<std::int32_t>(attempt_end::part_done))
          return false;
        x.interrupted = n < 0 ? std::nullopt : std::optional(static_cast<attempt_end>(n));
        return true;
      });
  return f.object(x).fields(remote::number_field(f, "state", x.state, all_job_states.back()), f.field("why_failed", x.why_failed),
                            remote::json_field(f, "result", x.result), interrupted, f.field("may_retry", x.may_retry),
                            f.field("notes", x.notes), f.field("step", x.step), f.field("ended", x.ended),
                            f.field("batch_max", x.batch_max));
}

} // namespace ferry::scheduling
