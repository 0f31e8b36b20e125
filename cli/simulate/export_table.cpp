#include "cli/simulate/export_table.hpp"

#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/simulate/csv_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <set>

namespace ferry::cli {
namespace {

using row = std::map<std::string, std::string>;

const std::array<std::string, 7> leading{"arrival", "duration", "type", "user", "priority", "batch", "items"};

void flatten(const json& value, const std::string& path, row& into) {
  if (value.is_object())
    for (const auto& [key, inner] : value.items())
      flatten(inner, path.empty() ? key : path + "." + key, into);
  else if (value.is_array())
    into[path] = std::to_string(value.size());
  else if (!value.is_null())
    into[path] = value.is_string() ? value.get<std::string>() : to_text(value);
}

// Since when its last run worked: since its model was loaded, where that was told.
std::optional<instant> began_to_work(const json& job) {
  auto began = time_field(job, "started");
  for (const json& entry : array_field(job, "history")) {
    const std::string what = text_field(entry, "what");
    if (const auto at = time_field(entry, "at"); at && began && *at >= *began && (what == "run_started" || what == "run_loaded"))
      began = at;
  }
  return began;
}

// How long the runs before its last one worked, of a job that ran in parts: those parts that still count.
duration worked_before(const json& job) {
  std::optional<instant> began;
  duration all{};
  for (const json& entry : array_field(job, "history")) {
    const std::string what = text_field(entry, "what");
    const json& detail = object_field(entry, "detail");
    const auto at = time_field(entry, "at");
    if (what == "run_started" || what == "run_loaded")
      began = at;
    else if (what == "job_retried" && true_field(detail, "from_scratch"))
      all = {};
    else if (what == "attempt_ended" && text_field(detail, "how") == "part_done" && began && at)
      all += *at - *began;
  }
  return all;
}

std::optional<row> row_of(const json& job) {
  const auto created = time_field(job, "created"), finished = time_field(job, "finished"), began = began_to_work(job);
  if (text_field(job, "status") != "completed" || !created || !finished || !began)
    return std::nullopt;
  std::array<char, 32> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%.3f",
                static_cast<double>((*finished - *began + worked_before(job)).count()) / 1000);
  row made;
  flatten(object_field(job, "params"), "", made);
  made["arrival"] = to_rfc3339(*created); // these go over parameters that are called so
  made["duration"] = seconds.data();
  made["type"] = text_field(job, "type");
  made["user"] = text_field(job, "user");
  made["priority"] = std::to_string(integer_field(job, "priority").value_or(priority_default));
  made["batch"] = std::to_string(integer_field(job, "batch").value_or(0));
  const auto items = integer_field(object_field(job, "items"), "total");
  made["items"] = items ? std::to_string(*items) : "";
  return made;
}

} // namespace

std::string export_table(const std::vector<json>& jobs) {
  std::vector<row> rows;
  std::set<std::string> parameters;
  for (const json& job : jobs)
    if (auto made = row_of(job)) {
      for (const auto& [name, value] : *made)
        if (std::find(leading.begin(), leading.end(), name) == leading.end())
          parameters.insert(name);
      rows.push_back(std::move(*made));
    }
  std::stable_sort(rows.begin(), rows.end(), [](const row& a, const row& b) { return a.at("arrival") < b.at("arrival"); });
  std::vector<std::string> columns(leading.begin(), leading.end());
  columns.insert(columns.end(), parameters.begin(), parameters.end());
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i)
    text += (i > 0 ? "," : "") + csv_field(columns[i]);
  text += "\n";
  for (row& r : rows) {
    for (std::size_t i = 0; i < columns.size(); ++i)
      text += (i > 0 ? "," : "") + csv_field(r[columns[i]]);
    text += "\n";
  }
  return text;
}

} // namespace ferry::cli
