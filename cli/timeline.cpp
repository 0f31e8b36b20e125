#include "cli/timeline.hpp"

#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/text.hpp"
#include "model/time.hpp"

#include <map>

namespace ferry::cli {
namespace {

constexpr std::size_t entries_shown = 30;

std::string because(const json& detail) {
  const std::string why = text_field(object_field(detail, "failure"), "message");
  return why.empty() ? "" : ": " + why;
}

std::string at_step(const json& detail) {
  const auto step = integer_field(detail, "step");
  return step ? " at step " + std::to_string(*step) : "";
}

std::string attempt_end_in_words(const json& detail, const std::optional<instant>& at) {
  const std::string how = text_field(detail, "how");
  if (how == "regrouped") // it was not its fault, as far as is known
    return (detail.contains("items_max")
                ? "queued again, to run " + to_text(detail.at("items_max")) + " items at a time; no attempt is counted"
                : std::string("queued again, its batch failed as a whole; no attempt is counted")) +
           because(detail);
  if (how == "part_done")
    return "its items are done, the next ones are to come";
  std::string text = (how == "continued" ? std::string("to be continued") : how) + at_step(detail);
  if (const auto due = integer_field(detail, "not_before"); due && at)
    text += ", in " + to_words(from_unix_ms(*due) - *at);
  return text + because(detail);
}

// ": items 9 to 16 of 20", of a job that runs in parts.
std::string items_in_words(const json& detail) {
  const auto first = integer_field(detail, "first_item"), items = integer_field(detail, "items"), of = integer_field(detail, "of");
  if (!first || !items || !of)
    return "";
  return ": items " + std::to_string(*first + 1) + " to " + std::to_string(*first + *items) + " of " + std::to_string(*of);
}

std::string batch_in_words(const json& detail) {
  return "attempt " + std::to_string(integer_field(detail, "attempt").value_or(1)) + " starts on " + text_field(detail, "device") +
         ", batch " + std::to_string(integer_field(detail, "batch").value_or(0)) + items_in_words(detail);
}

} // namespace

std::string entry_in_words(const json& entry) {
  const std::string what = text_field(entry, "what");
  const json& detail = object_field(entry, "detail");
  const std::string reason = text_field(detail, "reason");
  static const std::map<std::string, std::string> plain{{"job_queued", "queued"},       {"job_edited", "edited"},
                                                        {"job_released", "released"},   {"job_reordered", "moved"},
                                                        {"jobs_cleared", "cleared"},    {"run_started", "its process runs"},
                                                        {"run_loaded", "ready to work"}};
  if (what == "run_started" && detail.value("warm", false))
    return "handed to a warm worker";
  if (const auto found = plain.find(what); found != plain.end())
    return found->second;
  if (what == "job_held")
    return "held" + (reason.empty() ? "" : ": " + reason);
  if (what == "job_retried")
    return detail.value("from_scratch", false) ? "queued again, from scratch" : "queued again";
  if (what == "batch_started")
    return batch_in_words(detail);
  if (what == "batch_requeued")
    return "queued again, it had not started" + (reason.empty() ? "" : ": " + reason);
  if (what == "attempt_resumed")
    return "continues" + at_step(detail) + ": " + text_field(detail, "path");
  if (what == "start_promised") {
    const auto start = time_field(detail, "start");
    return "its start was promised for " + (start ? local_time(*start).substr(11) : std::string("then"));
  }
  if (what == "checkpoint_saved")
    return "checkpoint" + at_step(detail) + ": " + text_field(detail, "path");
  if (what == "run_warned")
    return text_field(detail, "why") + " (" + text_field(detail, "action") + ")";
  if (what == "attempt_ended")
    return attempt_end_in_words(detail, time_field(entry, "at"));
  if (what == "job_finished")
    return text_field(detail, "state") + because(detail);
  return what; // of a newer daemon
}

std::string timeline_block(const json& history, const style& look) {
  if (history.empty())
    return {};
  std::string block = "  " + look.paint("timeline", tone::dim) + "\n";
  const std::size_t first = history.size() > entries_shown ? history.size() - entries_shown : 0;
  if (first > 0)
    block += "    " + look.paint("… " + std::to_string(first) + " before: `ferry show --history`", tone::dim) + "\n";
  for (std::size_t i = first; i < history.size(); ++i) {
    const auto at = time_field(history[i], "at");
    block += "    " + look.paint(at ? local_time(*at) : "", tone::dim) + "  " + printable(entry_in_words(history[i])) + "\n";
  }
  return block;
}

} // namespace ferry::cli
