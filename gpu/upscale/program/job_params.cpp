#include "gpu/upscale/program/job_params.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

namespace ferry::upscale {
namespace {

using json = nlohmann::json;

const std::vector<std::string> models{"slim", "medium", "thick"};
const std::vector<std::string> known_names{"source", "output", "model", "scale", "control_weight", "prompt", "cwd"};
constexpr std::array<int, 4> scales{2, 3, 4, 8};

class reading {
public:
  explicit reading(const json& params) : params_(params) {}

  void text(const char* name, std::string& into) {
    if (const json* value = find(name)) {
      if (value->is_string())
        into = value->get<std::string>();
      else
        fault(name, "is " + config::shown(*value) + ", not a text");
    }
  }
  void number(const char* name, double& into) {
    if (const json* value = find(name)) {
      if (value->is_number())
        into = value->get<double>();
      else
        fault(name, "is " + config::shown(*value) + ", not a number");
    }
  }
  // 2 and 2.0 are the same to people.
  void integer(const char* name, int& into) {
    double value = into;
    number(name, value);
    if (value != static_cast<double>(static_cast<int>(std::clamp(value, -1e9, 1e9))))
      fault(name, "is " + config::shown(value) + ", not a whole number");
    else
      into = static_cast<int>(value);
  }
  void unknown_names() {
    for (const auto& [name, value] : params_.items())
      if (std::find(known_names.begin(), known_names.end(), name) == known_names.end())
        problems_.push_back(
            {config::shortened(name), "no parameter of upscaling is called so", config::did_you_mean(name, known_names)});
  }
  void fault(const char* name, std::string what, std::string hint = {}) {
    problems_.push_back({name, std::move(what), std::move(hint)});
  }

  std::vector<problem> take() { return std::move(problems_); }

private:
  [[nodiscard]] const json* find(const char* name) const {
    const auto found = params_.find(name);
    return found == params_.end() || found->is_null() ? nullptr : &*found;
  }

  const json& params_;
  std::vector<problem> problems_;
};

void check_values(const upscale_job& job, std::vector<problem>& problems) {
  if (job.source.empty())
    problems.push_back({"source", "is missing", "name a picture, a folder of pictures or a video"});
  if (std::find(models.begin(), models.end(), job.model) == models.end())
    problems.push_back({"model", "is \"" + config::shortened(job.model) + "\"; there are slim, medium and thick",
                        config::did_you_mean(job.model, models)});
  if (std::find(scales.begin(), scales.end(), job.scale) == scales.end())
    problems.push_back({"scale", "is " + std::to_string(job.scale) + "; it can be 2, 3, 4 or 8", ""});
  if (!(job.control_weight >= 0 && job.control_weight <= 1))
    problems.push_back({"control_weight", "is " + config::shown(json(job.control_weight)) + "; it lies between 0 and 1", ""});
}

void check_output_name(const upscale_job& job, std::vector<problem>& problems) {
  const bool is_name = job.output != "." && job.output != ".." && job.output.find('/') == std::string::npos &&
                       job.output.find('\0') == std::string::npos;
  if (!is_name)
    problems.push_back({"output", "is \"" + config::shortened(job.output) + "\"; it is a name in the job's folder, without /", ""});
}

result<void> verdict(std::vector<problem> problems) {
  if (problems.empty())
    return {};
  const std::string what = problems.front().where + " " + problems.front().what;
  if (problems.size() == 1)
    return fail(error_code::invalid_argument, what, problems.front().hint);
  return fail(
      error{error_code::invalid_argument, std::to_string(problems.size()) + " parameters cannot be used", "", std::move(problems)});
}

} // namespace

result<upscale_job> job_from(const json& document) {
  upscale_job job;
  if (!document.is_object() || !document.contains("id") || !document["id"].is_number_integer())
    return fail(error_code::invalid_argument,
                "a job is {\"id\":1,\"params\":{…},\"dir\":\"…\"}; this one has no id that is a whole number");
  job.id = document["id"].get<std::int64_t>();
  const auto dir = document.find("dir");
  const auto params = document.find("params");
  if (dir == document.end() || !dir->is_string() || dir->get<std::string>().empty())
    return fail(error_code::invalid_argument, "dir is missing: the folder that the output goes to");
  job.folder = dir->get<std::string>();
  if (const auto from = document.find("resume_from"); from != document.end() && from->is_string())
    job.resume_from = from->get<std::string>();
  if (params == document.end() || !params->is_object())
    return fail(error_code::invalid_argument, "params is missing");
  reading values(*params);
  std::string source;
  values.text("source", source);
  values.text("output", job.output);
  values.text("model", job.model);
  values.text("prompt", job.prompt);
  values.integer("scale", job.scale);
  values.number("control_weight", job.control_weight);
  values.unknown_names();
  job.source = source;
  auto problems = values.take();
  if (source.starts_with("job:"))
    problems.push_back({"source", "names the result of " + config::shortened(source) + ", which only the daemon can look up",
                        "give the path of the file"});
  else if (!source.empty() && !job.source.is_absolute())
    problems.push_back({"source", "is \"" + config::shortened(source) + "\"; it is an absolute path", ""});
  check_values(job, problems);
  check_output_name(job, problems);
  if (auto sound = verdict(std::move(problems)); !sound)
    return fail(std::move(sound.error()));
  return job;
}

result<void> check_job(const upscale_job& job) {
  std::vector<problem> problems;
  check_values(job, problems);
  check_output_name(job, problems);
  return verdict(std::move(problems));
}

} // namespace ferry::upscale
