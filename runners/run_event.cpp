#include "runners/run_event.hpp"

#include "runners/metrics.hpp"

#include <type_traits>

namespace ferry::runners {
namespace {

json at(std::string_view type, instant when) { return {{"type", type}, {"at", to_unix_ms(when)}}; }

void put_job(json& line, job_id job) {
  if (!job.is_none())
    line["job"] = job.value;
}

json to_json(const failure& why) {
  json value{{"kind", to_string(why.kind)}, {"message", why.message}};
  if (why.exit_status)
    value["exit_status"] = *why.exit_status;
  if (why.signal)
    value["signal"] = *why.signal;
  return value;
}

json to_line(const run_started& e) {
  json line = at("started", e.at);
  line["pid"] = e.pid;
  return line;
}

json to_line(const run_progressed& e) {
  json line = at("progress", e.at);
  put_job(line, e.job);
  if (e.value.fraction)
    line["value"] = *e.value.fraction;
  if (e.value.step)
    line["step"] = *e.value.step;
  if (e.value.total)
    line["total"] = *e.value.total;
  if (!e.value.message.empty())
    line["message"] = e.value.message;
  if (!e.value.metrics.empty())
    line["metrics"] = metrics_to_json(e.value.metrics);
  return line;
}

json to_line(const run_loaded& e) {
  json line = at("loaded", e.at);
  put_job(line, e.job);
  return line;
}

json to_line(const run_checkpoint& e) {
  json line = at("checkpoint", e.at);
  put_job(line, e.job);
  line["path"] = e.path;
  if (e.step)
    line["step"] = *e.step;
  return line;
}

json to_line(const run_job_done& e) {
  json line = at("job_done", e.at);
  put_job(line, e.job);
  line["result"] = e.result;
  return line;
}

json to_line(const run_job_failed& e) {
  json line = at("job_failed", e.at);
  put_job(line, e.job);
  line["failure"] = to_json(e.why);
  return line;
}

json to_line(const run_exited& e) {
  json line = at("exited", e.at);
  if (e.exit_status)
    line["exit_status"] = *e.exit_status;
  if (e.signal)
    line["signal"] = *e.signal;
  if (e.why)
    line["failure"] = to_json(*e.why);
  if (!e.stopped_by.empty())
    line["stopped_by"] = e.stopped_by;
  json& lists = line["artifacts"] = json::array();
  for (const auto& files : e.artifacts) {
    json& list = lists.emplace_back(json::array());
    for (const artifact& file : files)
      list.push_back({{"path", file.path}, {"bytes", file.bytes}});
  }
  return line;
}

template <class T>
std::optional<T> optional_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::nullopt : std::optional<T>(found->get<T>());
}

job_id job_of(const json& line) { return job_id{line.value("job", std::int64_t{0})}; }

failure failure_from(const json& value) {
  return {failure_kind_from(value.at("kind").get<std::string>()).value_or(failure_kind::reported),
          value.value("message", std::string()), optional_at<int>(value, "exit_status"), optional_at<int>(value, "signal")};
}

run_exited exited_from(const json& line, instant when) {
  run_exited e;
  e.at = when;
  e.exit_status = optional_at<int>(line, "exit_status");
  e.signal = optional_at<int>(line, "signal");
  if (const auto why = line.find("failure"); why != line.end())
    e.why = failure_from(*why);
  e.stopped_by = line.value("stopped_by", std::string());
  for (const json& list : line.value("artifacts", json::array())) {
    auto& files = e.artifacts.emplace_back();
    for (const json& file : list)
      files.push_back({file.at("path").get<std::string>(), file.at("bytes").get<std::int64_t>()});
  }
  if (!e.exit_status && !e.signal && !e.why)
    throw std::invalid_argument("an exited event needs exit_status, signal or failure");
  return e;
}

run_event event_from(const std::string& type, const json& line) {
  const instant when = from_unix_ms(line.at("at").get<std::int64_t>());
  if (type == "started")
    return run_started{line.at("pid").get<int>(), when};
  if (type == "progress")
    return run_progressed{job_of(line),
                          {optional_at<double>(line, "value"), optional_at<std::int64_t>(line, "step"),
                           optional_at<std::int64_t>(line, "total"), line.value("message", std::string()),
                           metrics_from(line.value("metrics", json::object()))},
                          when};
  if (type == "loaded")
    return run_loaded{job_of(line), when};
  if (type == "checkpoint")
    return run_checkpoint{job_of(line), line.at("path").get<std::string>(), optional_at<std::int64_t>(line, "step"), when};
  if (type == "job_done")
    return run_job_done{job_of(line), line.value("result", json()), when};
  if (type == "job_failed")
    return run_job_failed{job_of(line), failure_from(line.at("failure")), when};
  return exited_from(line, when);
}

} // namespace

json to_json(const run_event& e) {
  return std::visit([](const auto& alternative) { return to_line(alternative); }, e);
}

result<run_event> run_event_from(const json& line) {
  try {
    const std::string type = line.at("type").get<std::string>();
    for (const char* known : {"started", "progress", "loaded", "checkpoint", "job_done", "job_failed", "exited"})
      if (type == known)
        return event_from(type, line);
    return fail(error_code::not_found, "unknown type of event \"" + type + "\"");
  } catch (const std::exception& e) {
    return fail(error_code::invalid_argument, std::string("not an event of a run: ") + e.what());
  }
}

} // namespace ferry::runners
