#include "cli/job_views.hpp"

#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "cli/timeline.hpp"

#include <cmath>

namespace ferry::cli {
namespace {

tone tone_of(const std::string& status) {
  if (status == "running")
    return tone::cyan;
  if (status == "completed")
    return tone::green;
  if (status == "failed")
    return tone::red;
  return status == "cancelled" ? tone::yellow : tone::plain;
}

// How long it has been in its state: running since its start, waiting since its creation, or how long it ran.
std::string time_of(const json& job, instant now) {
  const std::string status = text_field(job, "status");
  const auto started = time_field(job, "started");
  if (status == "queued") {
    const auto created = time_field(job, "created");
    return created ? clock_time(now - *created) : "";
  }
  if (status == "running")
    return started ? clock_time(now - *started) : "";
  const auto finished = time_field(job, "finished");
  return started && finished ? clock_time(*finished - *started) : "";
}

std::string counted_progress(const json& job) {
  const json& progress = object_field(job, "progress");
  const auto step = integer_field(progress, "step"), total = integer_field(progress, "total");
  if (!step)
    return "";
  return std::to_string(*step) + (total ? "/" + std::to_string(*total) : "");
}

// "running", "running ▓▓░░ 40%", "starting", "running 12/?": what is known.
std::string running_cell(const json& job, const style& look) {
  const std::string phase = text_field(job, "phase");
  const std::string word = phase.empty() ? "running" : phase;
  if (const auto fraction = number_field(object_field(job, "progress"), "fraction"))
    return word + " " + (look.width > 0 ? bar(*fraction, 8, look.unicode) + " " : "") + percent(*fraction);
  const std::string counted = counted_progress(job);
  return counted.empty() ? word : word + " " + counted;
}

// "in 2:10", "done in 0:45": what is expected of it.
std::string expected_cell(const json& job, instant now) {
  if (const auto start = time_field(job, "expected_start"))
    return *start <= now ? "next" : "in " + clock_time(*start - now);
  const auto end = time_field(job, "expected_end");
  return end && *end > now ? "done in " + clock_time(*end - now) : "";
}

// "8/20 items": of a job that runs in parts.
std::string items_in_words(const json& job) {
  const json& items = object_field(job, "items");
  const auto done = integer_field(items, "done"), total = integer_field(items, "total");
  return done && total ? std::to_string(*done) + "/" + std::to_string(*total) + " items" : "";
}

std::string status_cell(const json& job, const style& look, instant now) {
  const std::string status = text_field(job, "status");
  if (status == "running")
    return running_cell(job, look);
  if (status != "queued")
    return status;
  if (true_field(job, "held"))
    return text_field(job, "held_for") == "suspended" ? "suspended" : "held";
  if (const auto not_before = time_field(job, "not_before"))
    return (integer_field(job, "attempts").value_or(0) > 0 ? "retry at " : "not before ") + clock_on(*not_before, now);
  const json& needs = array_field(job, "needs");
  if (needs.empty() || integer_field(job, "position")) {
    const std::string items = items_in_words(job);
    return items.empty() ? status : status + ", " + items;
  }
  return needs.size() == 1 ? "needs " + to_text(needs.front()) : "needs " + std::to_string(needs.size()) + " jobs";
}

std::string in_words(duration d) {
  if (d < std::chrono::seconds(10)) {
    const std::int64_t tenths = std::max<std::int64_t>(0, d.count()) / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
  }
  return to_words(d);
}

std::string indented(const std::string& pretty, const std::string& margin) {
  std::string out;
  for (std::size_t at = 0; at < pretty.size();) {
    const auto end = std::min(pretty.find('\n', at), pretty.size());
    out += margin + pretty.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return out;
}

std::string document_block(const json& value) { return indented(json_for_terminal(to_text(value)), "    "); }

} // namespace

std::string queue_page(const json& answer, const style& look, instant now) {
  const json& counts = object_field(answer, "counts");
  const auto count = [&](const char* key) { return integer_field(counts, key).value_or(0); };
  const std::string dot = look.unicode ? " · " : ", ";
  std::string page = with_commas(count("running")) + " running" + dot + with_commas(count("queued")) + " queued" + dot +
                     with_commas(count("held")) + " held";
  if (true_field(answer, "paused"))
    page += dot + look.paint("paused", tone::yellow) + ": nothing new is started until `ferry unpause`";
  page += "\n";

  table t({{"#", true}, {"JOB", true}, {"NAME", false, 12}, {"TYPE", false, 10}, {"STATUS"}, {"TIME", true}, {"EXPECTED"}});
  const json& jobs = array_field(answer, "jobs");
  for (const json& job : jobs) {
    const std::string status = text_field(job, "status");
    const auto position = integer_field(job, "position");
    const std::string place = position ? std::to_string(*position) : status == "running" ? (look.unicode ? "▶" : ">") : "-";
    t.add({{place},
           {std::to_string(integer_field(job, "id").value_or(0))},
           {text_field(job, "name"), tone::plain},
           {text_field(job, "type")},
           {status_cell(job, look, now), true_field(job, "held") ? tone::yellow : tone_of(status)},
           {time_of(job, now)},
           {expected_cell(job, now), tone::dim}});
  }
  if (!t.empty())
    page += "\n" + t.render(look);
  return page;
}

std::string list_page(const json& jobs, const style& look, instant now) {
  table t(
      {{"JOB", true}, {"NAME", false, 12}, {"TYPE", false, 10}, {"STATUS"}, {"TIME", true}, {"FINISHED"}, {"REASON", false, 12}});
  for (const json& job : jobs) {
    const auto finished = time_field(job, "finished");
    t.add({{std::to_string(integer_field(job, "id").value_or(0))},
           {text_field(job, "name")},
           {text_field(job, "type")},
           {status_cell(job, look, now), tone_of(text_field(job, "status"))},
           {time_of(job, now)},
           {finished ? ago(*finished, now) : ""},
           {text_field(object_field(job, "failure"), "message"), tone::dim}});
  }
  return t.empty() ? "no jobs\n" : t.render(look);
}

std::string state_in_words(const json& job, instant now) {
  const std::string status = text_field(job, "status");
  const auto started = time_field(job, "started"), finished = time_field(job, "finished");
  const std::string ran = started && finished ? in_words(*finished - *started) : "";
  if (status == "queued") {
    if (true_field(job, "held")) {
      const std::string why = printable(text_field(job, "held_for"));
      return why.empty() ? "held" : why == "suspended" ? why : "held: " + why;
    }
    const auto position = integer_field(job, "position");
    const auto not_before = time_field(job, "not_before");
    return position     ? "queued at position " + with_commas(*position)
           : not_before ? "queued, not before " + clock_on(*not_before, now)
                        : "queued";
  }
  if (status == "running")
    return running_cell(job, style{}) + (started ? ", " + clock_time(now - *started) : "");
  if (status == "failed") {
    const std::string reason = printable(text_field(object_field(job, "failure"), "message"));
    return "failed" + (ran.empty() ? "" : " after " + ran) + (reason.empty() ? "" : ": " + reason);
  }
  if (status == "cancelled") {
    const std::string reason = printable(text_field(object_field(job, "failure"), "message"));
    return "cancelled" + (ran.empty() ? "" : " after " + ran) + (reason.empty() ? "" : ": " + reason);
  }
  return ran.empty() ? status : status + " in " + ran;
}

std::string job_line(const json& job, instant now) {
  const std::string name = printable(text_field(job, "name"));
  return "job " + std::to_string(integer_field(job, "id").value_or(0)) + (name.empty() ? "" : " (" + name + ")") + " " +
         state_in_words(job, now);
}

std::string outlook_line(const json& answer, instant now) {
  const auto position = integer_field(answer, "position");
  const auto start = time_field(answer, "expected_start"), late = time_field(answer, "expected_start_p90");
  const auto takes = number_field(answer, "expected_seconds");
  std::string line = position ? "it would wait at position " + with_commas(*position) : "it would not wait in line at first";
  if (start && late)
    line += *start <= now ? "; it would start at once"
                          : "; it would start about " + clock_on(*start, now) + ", nine of ten by " + clock_on(*late, now);
  else if (position)
    line += "; nobody knows yet when it would start";
  if (takes)
    line += "; it may take " + in_words(duration{std::llround(*takes * 1000)});
  return line + "\n";
}

std::string submitted_line(const submitted& made) {
  const std::string job = std::to_string(made.id);
  if (made.existing)
    return "job " + job + " is it already" +
           (made.position              ? ", at position " + with_commas(*made.position)
            : made.waiting_for.empty() ? ""
                                       : ", and waits: " + printable(made.waiting_for)) +
           "\n";
  if (!made.position && !made.waiting_for.empty())
    return "job " + job + " waits: " + printable(made.waiting_for) + "\n";
  if (!made.position)
    return "job " + job + " is held until `ferry release " + job + "`\n";
  return "job " + job + " queued at position " + with_commas(*made.position) + "; `ferry logs -f " + job + "` follows it\n";
}

namespace {

std::string needs_in_words(const json& job) {
  std::string text;
  for (const json& id : array_field(job, "needs"))
    text += (text.empty() ? "job " : ", ") + to_text(id);
  if (const auto rule = text_field(job, "on_needs_failure"); !text.empty() && rule != "hold")
    text += rule == "cancel" ? "; cancelled if one does not complete" : "; starts however they end";
  return text;
}

std::string labels_in_words(const json& labels) {
  std::string text;
  for (const auto& [name, value] : labels.items())
    text += (text.empty() ? "" : ", ") + name + "=" + (value.is_string() ? value.get<std::string>() : to_text(value));
  return text;
}

std::string metrics_text(const json& metrics) {
  std::string text;
  for (const auto& [name, value] : metrics.items())
    text += (text.empty() ? "" : ", ") + name + " " + (value.is_string() ? value.get<std::string>() : to_text(value));
  return text;
}

} // namespace

std::string job_page(const json& job, const style& look, instant now) {
  std::string page = look.paint("job " + std::to_string(integer_field(job, "id").value_or(0)), tone::bold);
  if (const auto name = printable(text_field(job, "name")); !name.empty())
    page += "  " + name;
  page += "\n";
  const auto line = [&](const char* label, const std::string& value, tone t = tone::plain) {
    if (!value.empty())
      page += "  " + look.paint(pad(label, 11), tone::dim) + look.paint(printable(value), t) + "\n";
  };
  const auto moment = [&](const char* key) {
    const auto at = time_field(job, key);
    return at ? local_time(*at) + " (" + ago(*at, now) + ")" : std::string();
  };
  const std::string status = text_field(job, "status");
  line("type", text_field(job, "type"));
  line("status", state_in_words(job, now), tone_of(status));
  if (status == "running") {
    line("steps", counted_progress(job));
    line("says", text_field(object_field(job, "progress"), "message"));
  }
  const std::string items = items_in_words(job);
  line("parts", items.empty() ? "" : items + " done");
  if (const auto from = integer_field(job, "resumed_from"))
    line("continues", "job " + std::to_string(*from));
  if (status == "running")
    line("metrics", metrics_text(object_field(object_field(job, "progress"), "metrics")));
  line("waits for", waiting_for(job));
  if (const auto start = time_field(job, "expected_start"), late = time_field(job, "expected_start_p90"); start && late)
    line("starts", "about " + clock_on(*start, now) + "; nine of ten by " + clock_on(*late, now));
  if (const auto end = time_field(job, "expected_end"))
    line("ends", "about " + clock_on(*end, now));
  line("needs", needs_in_words(job));
  line("runs on", labels_in_words(object_field(job, "on")));
  line("group", text_field(job, "group"));
  line("unique key", text_field(job, "unique_key"));
  line("user", text_field(job, "user"));
  const auto effective = integer_field(job, "effective_priority");
  line("priority", std::to_string(integer_field(job, "priority").value_or(priority_default)) +
                       (effective ? " (" + std::to_string(*effective) + " by now, for it has waited)" : ""));
  line("created", moment("created"));
  line("started", moment("started"));
  line("finished", moment("finished"));
  line("cleared", moment("cleared"));
  if (const auto seconds = number_field(job, "run_seconds"))
    line("ran", in_words(duration(static_cast<std::int64_t>(*seconds * 1000))));
  if (const auto attempts = integer_field(job, "attempts").value_or(0); attempts > 0) {
    std::string where = std::to_string(attempts);
    if (const auto retries = integer_field(job, "retries").value_or(0); retries > 0)
      where += " (" + std::to_string(retries) + " automatic)";
    if (const auto batch = integer_field(job, "batch"))
      where += ", the last in batch " + std::to_string(*batch);
    if (const auto device = text_field(job, "device"); !device.empty())
      where += " on " + device;
    line("attempts", where);
  }
  line("directory", text_field(job, "directory"));
  page += timeline_block(array_field(job, "history"), look);
  const json& params = object_field(job, "params");
  page += "  " + look.paint("params", tone::dim) + (params.empty() ? "     none\n" : "\n" + document_block(params));
  json result = job.value("result", json());
  const json& artifacts = array_field(result, "artifacts");
  if (!artifacts.empty()) {
    page += "  " + look.paint("files", tone::dim) + "\n";
    for (const json& file : artifacts)
      page += "    " + printable(text_field(file, "path")) + "  " +
              look.paint(bytes(integer_field(file, "bytes").value_or(0)), tone::dim) + "\n";
    result.erase("artifacts");
  }
  if (!result.is_null() && !result.empty())
    page += "  " + look.paint("result", tone::dim) + "\n" + document_block(result);
  return page;
}

std::string history_page(const json& answer, const style& look) {
  table t({{"AT"}, {"WHAT"}, {"DETAIL", false, 12}});
  for (const json& entry : array_field(answer, "history")) {
    const auto at = time_field(entry, "at");
    const json detail = entry.value("detail", json());
    t.add({{at ? local_time(*at) : "", tone::dim},
           {text_field(entry, "what")},
           {detail.is_null()     ? ""
            : detail.is_string() ? detail.get<std::string>()
                                 : to_text(detail)}});
  }
  return t.render(look);
}

std::string progress_line(const json& job, const style& look, instant now) {
  const std::string status = text_field(job, "status");
  std::string line = "job " + std::to_string(integer_field(job, "id").value_or(0)) + " ";
  if (status != "running") {
    const std::string why = waiting_for(job);
    line += state_in_words(job, now) + (why.empty() ? "" : ": " + why);
  } else {
    const json& progress = object_field(job, "progress");
    const auto fraction = number_field(progress, "fraction");
    const std::string phase = text_field(job, "phase");
    if (fraction)
      line += bar(*fraction, 24, look.unicode) + " " + percent(*fraction);
    else
      line += phase.empty() ? "running" : phase;
    for (const std::string& part : {counted_progress(job), time_of(job, now), text_field(progress, "message")})
      if (!part.empty())
        line += "  " + part;
  }
  return fit(printable(line), look.width > 1 ? look.width - 1 : 79, look.unicode ? "…" : "~");
}

bool is_finished(const json& job) {
  const auto state = job_state_from(text_field(job, "status"));
  return state && ferry::is_finished(*state);
}

int exit_status_of_job(const json& job) {
  if (text_field(job, "status") == "completed")
    return 0;
  const json& failure = object_field(job, "failure");
  if (const auto status = integer_field(failure, "exit_status"); status && *status > 0 && *status < 256)
    return static_cast<int>(*status);
  if (const auto signal = integer_field(failure, "signal"); signal && *signal > 0 && *signal < 128)
    return 128 + static_cast<int>(*signal);
  return 1;
}

} // namespace ferry::cli
