#include "scheduling/job_results.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace ferry::scheduling {
namespace {

json* value_at(json& params, const std::string& dotted) {
  json* value = &params;
  for (std::size_t begin = 0; begin <= dotted.size();) {
    const auto end = std::min(dotted.find('.', begin), dotted.size());
    const auto found = value->is_object() ? value->find(dotted.substr(begin, end - begin)) : value->end();
    if (!value->is_object() || found == value->end())
      return nullptr;
    value = &*found;
    begin = end + 1;
  }
  return value;
}

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

result<std::string> result_file(const job_record& record, const std::filesystem::path& directory) {
  const auto name = "job " + to_string(record.id);
  if (record.state != job_state::completed)
    return fail(error_code::invalid_argument, name + " has no result: it is " + std::string(to_string(record.state)));
  if (record.result.is_object()) {
    if (const auto path = record.result.find("path"); path != record.result.end() && path->is_string())
      return (directory / path->get<std::string>()).string();
    if (const auto files = record.result.find("artifacts");
        files != record.result.end() && files->is_array() && !files->empty() && files->front().contains("path"))
      return (directory / files->front().at("path").get<std::string>()).string();
  }
  return fail(error_code::invalid_argument, name + " left no result file");
}

} // namespace

void make_absolute(json& params, const std::vector<std::string>& paths, const std::string& base_dir) {
  if (base_dir.empty())
    return;
  for (const auto& path : paths) {
    json* value = value_at(params, path);
    if (!value || !value->is_string())
      continue;
    const std::string text = value->get<std::string>();
    if (!text.empty() && text.front() != '/' && !text.starts_with("job:"))
      *value = (std::filesystem::path(base_dir) / text).lexically_normal().string();
  }
}

std::vector<job_id> referenced_jobs(const json& params, const std::vector<std::string>& paths) {
  std::vector<job_id> jobs;
  json copy = params;
  for (const auto& path : paths)
    if (const json* value = value_at(copy, path))
      if (const auto id = reference_in(*value))
        jobs.push_back(*id);
  return jobs;
}

result<json> resolve_job_results(json params, const std::vector<std::string>& paths, const std::vector<job_record>& records,
                                 const std::function<std::filesystem::path(const job_record&)>& directory_of) {
  for (const auto& path : paths) {
    json* value = value_at(params, path);
    const auto id = value ? reference_in(*value) : std::nullopt;
    if (!id)
      continue;
    const auto record = std::find_if(records.begin(), records.end(), [&](const job_record& r) { return r.id == *id; });
    if (record == records.end())
      return fail(error_code::invalid_argument, path + " names job " + to_string(*id) + ", which does not exist");
    auto file = result_file(*record, directory_of(*record));
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
