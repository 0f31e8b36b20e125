#include "runners/run_spec.hpp"

#include <array>

namespace ferry::runners {
namespace {

constexpr int spec_version = 1;

constexpr std::array<std::pair<config::progress_source, std::string_view>, 6> source_names{{
    {config::progress_source::automatic, "automatic"},
    {config::progress_source::events, "events"},
    {config::progress_source::tqdm, "tqdm"},
    {config::progress_source::ffmpeg, "ffmpeg"},
    {config::progress_source::pattern, "pattern"},
    {config::progress_source::none, "none"},
}};

std::string_view name_of(config::progress_source source) {
  for (const auto& [value, name] : source_names)
    if (value == source)
      return name;
  return "automatic";
}

// A newer daemon's source that this shim does not know is read as automatic: a run is not refused for its progress.
config::progress_source source_from(std::string_view text) {
  for (const auto& [value, name] : source_names)
    if (name == text)
      return value;
  return config::progress_source::automatic;
}

job_part part_from(const json& told) {
  return {.first = told.value("first_item", 0), .count = told.value("items", 0), .of = told.value("of", 0)};
}

} // namespace

json to_json(const std::vector<run_job>& jobs) {
  json list = json::array();
  for (const run_job& job : jobs) {
    list.push_back({{"id", job.id.value}, {"params", job.params}, {"dir", job.dir.string()}});
    if (!job.resume_from.empty())
      list.back()["resume_from"] = job.resume_from.string();
    if (!job.part.is_all())
      list.back()["part"] = {{"first_item", job.part.first}, {"items", job.part.count}, {"of", job.part.of}};
  }
  return list;
}

json to_json(const run_spec& spec) {
  json document{{"version", spec_version},
                {"batch", spec.batch.value},
                {"type", spec.type},
                {"device", spec.device},
                {"argv", spec.argv},
                {"environment", spec.environment},
                {"directory", spec.directory.string()},
                {"grace_ms", spec.grace.count()},
                {"progress", {{"source", name_of(spec.progress)}, {"pattern", spec.progress_pattern}}},
                {"jobs", to_json(spec.jobs)}};
  if (spec.worker)
    document["worker"] = {{"id", spec.worker->id.value},
                          {"directory", spec.worker->directory.string()},
                          {"warm", spec.worker->warm},
                          {"keep_alive_ms", spec.worker->keep_alive.count()},
                          {"ready_timeout_ms", spec.worker->ready_timeout.count()},
                          {"memory_mib", spec.worker->memory_mib}};
  if (!spec.lease_file.empty())
    document["lease_file"] = spec.lease_file.string();
  return document;
}

result<run_spec> run_spec_from(const json& document) {
  try {
    if (const int version = document.at("version").get<int>(); version > spec_version)
      return fail(error_code::newer_version, "spec.json has version " + std::to_string(version) + ", this program reads up to " +
                                                 std::to_string(spec_version));
    run_spec spec;
    spec.batch = batch_id{document.at("batch").get<std::int64_t>()};
    spec.type = document.value("type", std::string());
    spec.device = document.value("device", std::string());
    document.at("argv").get_to(spec.argv);
    document.at("environment").get_to(spec.environment);
    spec.directory = document.at("directory").get<std::string>();
    spec.grace = std::chrono::milliseconds{document.at("grace_ms").get<std::int64_t>()};
    if (const auto how = document.find("progress"); how != document.end()) {
      spec.progress = source_from(how->value("source", std::string()));
      spec.progress_pattern = how->value("pattern", std::string());
    }
    for (const json& job : document.at("jobs"))
      spec.jobs.push_back({job_id{job.at("id").get<std::int64_t>()}, job.value("params", json::object()),
                           job.at("dir").get<std::string>(), job.value("resume_from", std::string()),
                           part_from(job.value("part", json::object()))});
    if (const auto worker = document.find("worker"); worker != document.end())
      spec.worker = worker_place{.id = {worker->at("id").get<std::int64_t>()},
                                 .directory = worker->at("directory").get<std::string>(),
                                 .warm = worker->value("warm", std::string("{}")),
                                 .keep_alive = std::chrono::milliseconds{worker->at("keep_alive_ms").get<std::int64_t>()},
                                 .ready_timeout = std::chrono::milliseconds{worker->at("ready_timeout_ms").get<std::int64_t>()},
                                 .memory_mib = worker->value("memory_mib", std::int64_t{0})};
    spec.lease_file = document.value("lease_file", std::string());
    if (spec.argv.empty())
      return fail(error_code::invalid_argument, "spec.json: argv is empty");
    return spec;
  } catch (const std::exception& e) {
    return fail(error_code::invalid_argument, std::string("spec.json cannot be understood: ") + e.what());
  }
}

} // namespace ferry::runners
