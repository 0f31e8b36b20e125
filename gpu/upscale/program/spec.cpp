#include "gpu/upscale/program/spec.hpp"

#include "config/limits.hpp"
#include "gpu/upscale/image/file_error.hpp"
#include "gpu/upscale/program/job_params.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace ferry::upscale {

using json = nlohmann::json;

result<std::vector<batch_entry>> entries_from(const json& document) {
  const auto jobs = document.find("jobs");
  if (jobs == document.end() || !jobs->is_array() || jobs->empty())
    return fail(error_code::invalid_argument, "there are no \"jobs\"");
  std::vector<batch_entry> entries;
  for (const json& job : *jobs) {
    auto read = job_from(job);
    if (!job.is_object() || !job.contains("id") || !job["id"].is_number_integer())
      return fail(std::move(read.error()));
    entries.push_back({job["id"].get<std::int64_t>(), std::move(read)});
  }
  return entries;
}

result<batch_spec> read_spec(const std::filesystem::path& file) {
  std::error_code problem;
  const auto size = std::filesystem::file_size(file, problem);
  if (problem)
    return fail(file_error(file, "cannot be read", problem.value()));
  if (size > limits::spec_bytes_max)
    return fail(error_code::too_large, file.string() + " has " + std::to_string(size) + " bytes; at most " +
                                           std::to_string(limits::spec_bytes_max) + " are read");
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return fail(file_error(file, "cannot be read", errno));
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  try {
    const json document = json::parse(text);
    if (!document.is_object())
      return fail(error_code::invalid_argument, file.string() + " holds no JSON object");
    auto entries = entries_from(document);
    if (!entries)
      return fail(entries.error().code, file.string() + ": " + entries.error().what);
    return batch_spec{std::move(*entries), document.value("device", json()) == json("cpu")};
  } catch (const json::exception& e) {
    return fail(error_code::invalid_argument, file.string() + " cannot be understood: " + e.what());
  }
}

} // namespace ferry::upscale
