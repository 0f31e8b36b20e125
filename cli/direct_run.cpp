#include "cli/direct_run.hpp"

#include "cli/foreground.hpp"
#include "cli/parameters.hpp"
#include "cli/text.hpp"
#include "config/settings.hpp"
#include "config/text.hpp"
#include "model/parameter_path.hpp"
#include "runners/run_spec.hpp"
#include "scheduling/batch_traits.hpp"
#include "scheduling/job_results.hpp"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace ferry::cli {
namespace {

namespace fs = std::filesystem;

result<config::settings> load_settings(const direct_run& what) {
  const fs::path file = what.config_file ? fs::path(*what.config_file) : config::find_config_file();
  return file.empty() ? result<config::settings>(config::defaults()) : config::load(file);
}

result<const config::job_type*> find_type(const config::settings& settings, const std::string& name) {
  if (const auto* found = settings.find_job_type(name))
    return found;
  std::vector<std::string> known;
  for (const auto& type : settings.job_types)
    known.push_back(type.name);
  return fail(error_code::not_found, "there is no job type \"" + printable(name) + "\"", config::did_you_mean(name, known));
}

result<json> checked_parameters(const config::job_type& type, const json& given) {
  auto params = type.parameters.validate(given);
  if (!params)
    return params;
  for (const std::string& path : type.parameters.job_result_paths())
    if (const json* value = find_parameter(*params, path);
        value && value->is_string() && value->get<std::string>().starts_with("job:"))
      return fail(error_code::invalid_argument,
                  path + " names the result of " + printable(value->get<std::string>()) + ", which only the daemon can look up",
                  "give the path of the file");
  return params;
}

// The GPUs that the driver lists, by UUID; without NVML, which a program that is linked whole cannot load.
std::vector<std::string> gpus_of_driver() {
  std::vector<std::string> uuids;
  std::error_code none;
  for (const auto& gpu : fs::directory_iterator("/proc/driver/nvidia/gpus", none)) {
    const auto text = read_whole((gpu.path() / "information").string());
    const auto label = text ? text->find("GPU UUID:") : std::string::npos;
    if (label == std::string::npos)
      continue;
    const auto begin = text->find("GPU-", label), end = text->find_first_of(" \t\n", begin);
    if (begin != std::string::npos)
      uuids.push_back(text->substr(begin, end - begin));
  }
  std::ranges::sort(uuids);
  return uuids;
}

result<runners::placement> place(const config::job_type& type, const direct_run& what) {
  runners::placement where;
  where.on = {.id = "cpu", .kind = device_kind::cpu, .name = "CPU"};
  where.threads = type.threads > 0 ? type.threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  std::string gpu = what.device.value_or("");
  if (gpu == "cpu" || (gpu.empty() && type.device == config::device_choice::cpu))
    return where;
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (gpu.empty() && visible)
    gpu = visible;
  if (gpu.empty() && !visible)
    if (const auto listed = gpus_of_driver(); !listed.empty())
      gpu = listed.front();
  if (!gpu.empty())
    where.on = {.id = gpu, .kind = device_kind::gpu, .name = gpu};
  else if (type.device == config::device_choice::gpu)
    return fail(error_code::invalid_argument, "job type " + type.name + " needs a GPU, and this machine shows none",
                "name one with --device, or `--device cpu` to try without");
  return where;
}

// The directory of the run, with spec.json; removed at the end unless the job's results lie in it.
class run_directory {
public:
  run_directory() = default;
  run_directory(const run_directory&) = delete;
  run_directory& operator=(const run_directory&) = delete;
  ~run_directory() {
    std::error_code ignored;
    if (!root_.empty() && !keep_)
      fs::remove_all(root_, ignored);
  }

  [[nodiscard]] result<void> make(const direct_run& what) {
    std::error_code problem;
    std::string name = (fs::temp_directory_path(problem) / "ferry-run-XXXXXX").string();
    if (problem || !::mkdtemp(name.data()))
      return fail(error_code::io, "no temporary directory can be made: " + name, "set TMPDIR to a directory you may write to");
    root_ = name;
    job_ = what.output ? fs::absolute(*what.output).lexically_normal() : root_ / "jobs" / "1";
    inside_ = !what.output;
    fs::create_directories(job_, problem);
    if (problem)
      return fail(error_code::io, "the directory " + job_.string() + " cannot be made: " + problem.message());
    return {};
  }

  [[nodiscard]] result<void> write_spec(const runners::run_spec& spec) const {
    auto text = runners::to_json(spec).dump(-1, ' ', false, json::error_handler_t::replace);
    const fs::path file = root_ / "spec.json";
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0)
      return fail(error_code::io, file.string() + " cannot be made");
    auto written = write_all(descriptor, text);
    ::close(descriptor);
    return written;
  }

  // A sentence that says where the results are; empty when there are none.
  [[nodiscard]] std::string results() {
    std::error_code problem;
    if (fs::is_empty(job_, problem) || problem)
      return {};
    keep_ = inside_;
    return "ferry: results in " + printable(job_.string()) + "\n";
  }

  [[nodiscard]] const fs::path& root() const { return root_; }
  [[nodiscard]] const fs::path& job() const { return job_; }

private:
  fs::path root_, job_;
  bool inside_ = true;
  bool keep_ = false;
};

// What is said with a worker that runs one job here (docs/worker_protocol.md).
class worker_talk {
public:
  worker_talk(context& c, const runners::run_spec& spec) : context_(c), spec_(spec) {}

  std::optional<std::string> hear(std::string_view line) {
    const json said = json::parse(line, nullptr, false);
    const std::string type = said.is_object() ? text_of(said, "type") : std::string();
    if (type == "ready")
      return order();
    if (type == "done" || type == "failed") {
      status_ = type == "done" ? 0 : 1;
      if (type == "failed")
        context_.note("ferry: " + printable(text_of(said, "error")) + "\n");
      return std::nullopt;
    }
    if (type == "progress")
      show(said);
    else if (type == "log")
      context_.note(printable(text_of(said, "text")) + "\n");
    else if (type.empty() && !line.empty())
      context_.note(printable(std::string(line)) + "\n"); // a stray print
    return std::string();
  }
  // Of the job; 1 where the worker said nothing of its end.
  [[nodiscard]] int status() const { return status_; }

private:
  static std::string text_of(const json& said, const char* key) {
    const auto found = said.find(key);
    return found != said.end() && found->is_string() ? found->get<std::string>() : std::string();
  }
  [[nodiscard]] std::string order() const {
    return json{{"type", "run"}, {"batch", 1}, {"jobs", runners::to_json(spec_.jobs)}}.dump(-1, ' ', false,
                                                                                            json::error_handler_t::replace) +
           "\n";
  }
  // A line for each whole percent.
  void show(const json& said) {
    const auto value = said.find("value");
    const int percent = value != said.end() && value->is_number() ? static_cast<int>(value->get<double>() * 100) : -1;
    if (percent <= percent_ || percent > 100)
      return;
    percent_ = percent;
    context_.note("ferry: " + std::to_string(percent) + " % " + printable(text_of(said, "message")) + "\n");
  }

  context& context_;
  const runners::run_spec& spec_;
  int status_ = 1, percent_ = -1;
};

} // namespace

result<int> run_directly(context& c, const direct_run& what) {
  const auto settings = load_settings(what);
  if (!settings)
    return fail(settings.error());
  const auto type = find_type(*settings, what.type);
  if (!type)
    return fail(type.error());
  auto given = what.params;
  scheduling::make_absolute(given, (*type)->parameters.job_result_paths(), what.base_dir);
  auto params = checked_parameters(**type, given);
  if (!params)
    return fail(params.error());
  const auto where = place(**type, what);
  if (!where)
    return fail(where.error());
  run_directory directory;
  if (auto made = directory.make(what); !made)
    return fail(made.error());
  const char* resume_from = std::getenv("FERRY_RESUME_FROM"); // by hand, what the daemon does by itself
  const runners::run_job job{job_id{1}, std::move(*params), directory.job(), resume_from ? resume_from : ""};
  std::optional<runners::worker_choice> worker;
  if ((*type)->runner == config::runner_kind::worker)
    worker =
        runners::worker_choice{.id = {1}, .warm = scheduling::traits_of(**type, job.params).warm, .directory = directory.root()};
  const auto spec = runners::make_run_spec(**type, batch_id{1}, *where, {job}, directory.root(), worker);
  if (!spec)
    return fail(spec.error());
  if (auto written = directory.write_spec(*spec); !written)
    return fail(written.error());
  if (auto written = c.flush(); !written)
    return fail(written.error());
  foreground_program program{.argv = spec->argv, .environment = spec->environment, .directory = spec->directory.string()};
  worker_talk talk(c, *spec);
  if (worker)
    program.converse = [&talk](std::string_view line) { return talk.hear(line); };
  auto status = run_in_foreground(program);
  if (worker && status && *status == 0)
    status = talk.status();
  c.note(directory.results());
  return status;
}

bool queue_disabled() {
  const char* value = std::getenv("DISABLE_QUEUE");
  const std::string_view text = value ? value : "";
  return text == "true" || text == "TRUE" || text == "True" || text == "1" || text == "yes" || text == "on";
}

} // namespace ferry::cli
