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
  if (e.warm)
    line["warm"] = true;
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

json list_of(const std::vector<artifact>& files) {
  json list = json::array();
  for (const artifact& file : files)
    list.push_back({{"path", file.path}, {"bytes", file.bytes}});
  return list;
}

void put_files(json& line, const std::vector<artifact>& files) {
  if (!files.empty())
    line["files"] = list_of(files);
}

json to_line(const run_job_done& e) {
  json line = at("job_done", e.at);
  put_job(line, e.job);
  line["result"] = e.result;
  put_files(line, e.files);
  return line;
}

json to_line(const run_job_failed& e) {
  json line = at("job_failed", e.at);
  put_job(line, e.job);
  line["failure"] = to_json(e.why);
  put_files(line, e.files);
  return line;
}

json to_line(const run_job_cancelled& e) {
  json line = at("job_cancelled", e.at);
  put_job(line, e.job);
  put_files(line, e.files);
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
  for (const job_id job : e.stopped_jobs)
    line["stopped_jobs"].push_back(job.value);
  if (e.broken)
    line["broken"] = to_json(*e.broken);
  if (e.worker_ended)
    line["worker_ended"] = true;
  if (e.memory_mib)
    line["memory_mib"] = *e.memory_mib;
  json& lists = line["artifacts"] = json::array();
  for (const auto& files : e.artifacts)
    lists.push_back(list_of(files));
  return line;
}

template <class T>
std::optional<T> optional_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::nullopt : std::optional<T>(found->get<T>());
}

// A reference, since a fraction would be converted, whether it fits or not.
std::int64_t whole(const json& value) { return value.get_ref<const std::int64_t&>(); }

job_id job_of(const json& line) { return job_id{line.contains("job") ? whole(line.at("job")) : 0}; }

failure failure_from(const json& value) {
  return {failure_kind_from(value.at("kind").get<std::string>()).value_or(failure_kind::reported),
          value.value("message", std::string()), optional_at<int>(value, "exit_status"), optional_at<int>(value, "signal")};
}

std::vector<artifact> files_from(const json& list) {
  std::vector<artifact> files;
  for (const json& file : list)
    files.push_back({file.at("path").get<std::string>(), whole(file.at("bytes"))});
  return files;
}

run_exited exited_from(const json& line, instant when) {
  run_exited e;
  e.at = when;
  e.exit_status = optional_at<int>(line, "exit_status");
  e.signal = optional_at<int>(line, "signal");
  if (const auto why = line.find("failure"); why != line.end())
    e.why = failure_from(*why);
  e.stopped_by = line.value("stopped_by", std::string());
  for (const json& job : line.value("stopped_jobs", json::array()))
    e.stopped_jobs.push_back(job_id{whole(job)});
  if (const auto broken = line.find("broken"); broken != line.end())
    e.broken = failure_from(*broken);
  e.worker_ended = line.value("worker_ended", false);
  e.memory_mib = optional_at<std::int64_t>(line, "memory_mib");
  for (const json& list : line.value("artifacts", json::array()))
    e.artifacts.push_back(files_from(list));
  if (!e.exit_status && !e.signal && !e.why)
    throw std::invalid_argument("an exited event needs exit_status, signal or failure");
  return e;
}

run_event event_from(const std::string& type, const json& line) {
  const instant when = from_unix_ms(whole(line.at("at")));
  if (type == "started")
    return run_started{line.at("pid").get<int>(), when, line.value("warm", false)};
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
    return run_job_done{job_of(line), line.value("result", json()), when, files_from(line.value("files", json::array()))};
  if (type == "job_failed")
    return run_job_failed{job_of(line), failure_from(line.at("failure")), when, files_from(line.value("files", json::array()))};
  if (type == "job_cancelled")
    return run_job_cancelled{job_of(line), when, files_from(line.value("files", json::array()))};
  return exited_from(line, when);
}

} // namespace

json to_json(const run_event& e) {
  return std::visit([](const auto& alternative) { return to_line(alternative); }, e);
}

result<run_event> run_event_from(const json& line) {
  try {
    const std::string type = line.at("type").get<std::string>();
    for (const char* known : {"started", "progress", "loaded", "checkpoint", "job_done", "job_failed", "job_cancelled", "exited"})
      if (type == known)
        return event_from(type, line);
    return fail(error_code::not_found, "unknown type of event \"" + type + "\"");
  } catch (const std::exception& e) {
    return fail(error_code::invalid_argument, std::string("not an event of a run: ") + e.what());
  }
}

} // namespace ferry::runners
