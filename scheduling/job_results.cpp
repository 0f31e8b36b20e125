#include "scheduling/job_results.hpp"

#include "model/parameter_path.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace ferry::scheduling {
namespace {

std::optional<job_id> reference_in(const json& value) {
  constexpr std::string_view prefix = "job:";
  if (!value.is_string())
    return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (!text.starts_with(prefix))
    return std::nullopt;
  job_id id;
  const char* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data() + prefix.size(), end, id.value);
  return failed == std::errc{} && stop == end && id.value > 0 ? std::optional{id} : std::nullopt;
}

using directories = std::function<std::filesystem::path(const job_record&)>;

// Of a job that ran in parts: the file of the first one that left any.
std::optional<std::string> file_of_parts(const job_record& record, const directories& directory_of);

std::optional<std::string> file_in(const job_record& record, const directories& directory_of) {
  if (!record.result.is_object())
    return std::nullopt;
  if (record.result.contains("parts"))
    return file_of_parts(record, directory_of);
  if (const auto path = record.result.find("path"); path != record.result.end() && path->is_string())
    return (directory_of(record) / path->get<std::string>()).string();
  if (const auto files = record.result.find("artifacts");
      files != record.result.end() && files->is_array() && !files->empty() && files->front().contains("path"))
    return (directory_of(record) / files->front().at("path").get<std::string>()).string();
  return std::nullopt;
}

std::optional<std::string> file_of_parts(const job_record& record, const directories& directory_of) {
  const json& parts = record.result.at("parts");
  if (!parts.is_array())
    return std::nullopt;
  for (const json& part : parts) {
    job_record one{.id = record.id, .type = record.type, .name = {}, .batch = {part.value("batch", std::int64_t{0})}};
    one.result = part.value("result", json());
    if (!one.result.is_object() || one.result.contains("parts"))
      continue;
    if (auto file = file_in(one, directory_of))
      return file;
  }
  return std::nullopt;
}

result<std::string> result_file(const job_record& record, const directories& directory_of) {
  const auto name = "job " + to_string(record.id);
  if (record.state != job_state::completed)
    return fail(error_code::invalid_argument, name + " has no result: it is " + std::string(to_string(record.state)));
  if (auto file = file_in(record, directory_of))
    return *file;
  return fail(error_code::invalid_argument, name + " left no result file");
}

} // namespace

void make_absolute(json& params, const std::vector<std::string>& paths, const std::string& base_dir) {
  if (base_dir.empty())
    return;
  for (const auto& path : paths) {
    json* value = find_parameter(params, path);
    if (!value || !value->is_string())
      continue;
    const std::string text = value->get<std::string>();
    if (!text.empty() && text.front() != '/' && !text.starts_with("job:"))
      *value = (std::filesystem::path(base_dir) / text).lexically_normal().string();
  }
}

bool is_below(const std::string& path, const std::vector<std::string>& folders) {
  const auto plain = std::filesystem::path(path).lexically_normal().string();
  return std::any_of(folders.begin(), folders.end(),
                     [&](const std::string& folder) { return plain == folder || plain.starts_with(folder + "/"); });
}

std::vector<std::string> sources_in(const json& params, const std::vector<std::string>& paths) {
  std::vector<std::string> sources;
  for (const auto& path : paths)
    if (const json* value = find_parameter(params, path); value && value->is_string())
      if (const auto& text = value->get_ref<const std::string&>();
          text.starts_with('/') && std::find(sources.begin(), sources.end(), text) == sources.end())
        sources.push_back(text);
  return sources;
}

std::vector<job_id> referenced_jobs(const json& params, const std::vector<std::string>& paths) {
  std::vector<job_id> jobs;
  for (const auto& path : paths)
    if (const json* value = find_parameter(params, path))
      if (const auto id = reference_in(*value))
        jobs.push_back(*id);
  return jobs;
}

result<json> resolve_job_results(json params, const std::vector<std::string>& paths, const std::vector<job_record>& records,
                                 const std::function<std::filesystem::path(const job_record&)>& directory_of) {
  for (const auto& path : paths) {
    json* value = find_parameter(params, path);
    const auto id = value ? reference_in(*value) : std::nullopt;
    if (!id)
      continue;
    const auto record = std::find_if(records.begin(), records.end(), [&](const job_record& r) { return r.id == *id; });
    if (record == records.end())
      return fail(error_code::invalid_argument, path + " names job " + to_string(*id) + ", which does not exist");
    auto file = result_file(*record, directory_of);
    if (!file)
      return fail(error_code::invalid_argument, path + ": " + file.error().what);
    *value = std::move(*file);
  }
  return params;
}

batch_inputs resolve_batch(const std::vector<json>& params, const std::vector<std::string>& paths,
                           const result<std::vector<job_record>>& found,
                           const std::function<std::filesystem::path(const job_record&)>& directory_of, bool cancelled) {
  if (cancelled)
    return std::vector(params.size(), job_outcome{job_state::cancelled, {}, nullptr});
  std::vector<std::string> resolved;
  std::vector<job_outcome> ends;
  for (const json& of_one : params) {
    const auto value = found ? resolve_job_results(of_one, paths, *found, directory_of) : result<json>(fail(found.error()));
    if (value)
      resolved.push_back(value->dump());
    const auto why = value ? "another job of its batch failed" : value.error().what;
    ends.push_back({job_state::failed, failure{.kind = failure_kind::input, .message = why}, nullptr});
  }
  if (resolved.size() == params.size())
    return resolved;
  return ends;
}

} // namespace ferry::scheduling
