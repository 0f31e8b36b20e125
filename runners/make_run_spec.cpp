// Command templates become argv and environment.
#include "config/command_template.hpp"
#include "model/parameter_path.hpp"
#include "runners/run_spec.hpp"

#include <cstdlib>

namespace ferry::runners {
namespace {

tl::unexpected<error> no_value(const std::string& placeholder, const std::string& why) {
  return fail(error_code::invalid_argument, "{" + placeholder + "}: " + why);
}

// What a placeholder is replaced with, looked up in one batch.
class values {
public:
  values(const config::job_type& type, batch_id batch, const placement& where, const std::vector<run_job>& jobs,
         const std::filesystem::path& run_directory)
      : batch_(batch), where_(where), jobs_(jobs), run_directory_(run_directory), config_dir_(type.config_dir) {}

  [[nodiscard]] result<std::string> plain(const std::string& name) const {
    if (name == "spec")
      return (run_directory_ / "spec.json").string();
    if (name == "config_dir")
      return config_dir_.string();
    if (name == "batch_id")
      return to_string(batch_);
    if (name == "device")
      return where_.on.id;
    if (name == "threads")
      return std::to_string(where_.threads);
    if (name == "memory_mib")
      return std::to_string(where_.memory_mib);
    if (jobs_.size() != 1)
      return no_value(name, "has no single value in a batch of " + std::to_string(jobs_.size()) + " jobs; read {spec} instead");
    if (name == "checkpoint")
      return jobs_.front().resume_from.string();
    return name == "dir" ? jobs_.front().dir.string() : to_string(jobs_.front().id);
  }

  [[nodiscard]] bool continues() const { return jobs_.size() == 1 && !jobs_.front().resume_from.empty(); }

  // The value at a dotted path, which all jobs of the batch must agree on.
  [[nodiscard]] result<json> parameter(const std::string& path) const {
    const json* agreed = nullptr;
    for (const run_job& job : jobs_) {
      const json* value = find_parameter(job.params, path);
      if (value == nullptr || value->is_null())
        return no_value("params." + path, "job " + to_string(job.id) + " has no such parameter");
      if (agreed != nullptr && *agreed != *value)
        return no_value("params." + path, "differs between the jobs of the batch; read {spec} instead");
      agreed = value;
    }
    return agreed == nullptr ? json() : *agreed;
  }

private:
  batch_id batch_;
  const placement& where_;
  const std::vector<run_job>& jobs_;
  const std::filesystem::path& run_directory_;
  const std::filesystem::path& config_dir_;
};

std::string quoted_for_shell(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word)
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

result<std::string> as_word(const json& value, const std::string& path) {
  std::string word = value.is_string() ? value.get<std::string>() : value.dump();
  if (word.find('\0') != std::string::npos)
    return no_value("params." + path, "holds a NUL byte, which no argument of a program can");
  return word;
}

result<std::vector<std::string>> spread(const values& from, const std::string& path) {
  auto list = from.parameter(path);
  if (!list)
    return fail(std::move(list.error()));
  if (!list->is_array())
    return no_value("params." + path + "...", "is not an array");
  std::vector<std::string> words;
  for (const json& element : *list) {
    auto word = as_word(element, path);
    if (!word)
      return fail(std::move(word.error()));
    words.push_back(std::move(*word));
  }
  return words;
}

result<std::string> one_value(const config::template_piece& piece, const values& from) {
  if (piece.what == config::template_piece::kind::placeholder)
    return from.plain(piece.text);
  auto value = from.parameter(piece.text);
  if (!value)
    return fail(std::move(value.error()));
  return as_word(*value, piece.text);
}

// Appends the words that one word of the template becomes.
result<void> expand(const std::string& word, const values& from, bool for_shell, std::vector<std::string>& into) {
  const auto pieces = config::parse_template(word);
  if (!pieces)
    return fail(pieces.error());
  std::string text;
  for (const config::template_piece& piece : *pieces) {
    if (piece.what == config::template_piece::kind::literal) {
      text += piece.text;
      continue;
    }
    if (piece.what == config::template_piece::kind::parameter_list) {
      auto words = spread(from, piece.text);
      if (!words)
        return fail(std::move(words.error()));
      if (!for_shell) {
        into.insert(into.end(), words->begin(), words->end());
        return {};
      }
      for (const std::string& each : *words)
        text += (text.empty() ? "" : " ") + quoted_for_shell(each);
      continue;
    }
    auto value = one_value(piece, from);
    if (!value)
      return fail(std::move(value.error()));
    text += for_shell ? quoted_for_shell(*value) : *value;
  }
  into.push_back(std::move(text));
  return {};
}

result<std::vector<std::string>> expand_command(const config::job_type& type, const values& from) {
  std::vector<std::string> argv;
  if (type.shell)
    argv = {"/bin/sh", "-c"};
  for (const std::string& word : type.command) {
    if (auto done = expand(word, from, type.shell, argv); !done)
      return fail(std::move(done.error()));
    if (type.shell)
      break;
  }
  if (from.continues())
    for (const std::string& word : type.resume_arguments)
      if (auto done = expand(word, from, false, argv); !done)
        return fail(std::move(done.error()));
  if (argv.empty() || argv.front().empty())
    return fail(error_code::invalid_argument,
                "job type " + type.name + ": the command is empty once its placeholders are filled in");
  return argv;
}

void inherit(std::map<std::string, std::string>& environment, const std::string& name) {
  if (const char* value = std::getenv(name.c_str()); value != nullptr)
    environment[name] = value;
}

std::map<std::string, std::string> environment_of(const config::job_type& type, batch_id batch, const placement& where,
                                                  const std::vector<run_job>& jobs, const std::filesystem::path& run_directory,
                                                  const std::optional<worker_choice>& worker) {
  std::map<std::string, std::string> all;
  for (const char* name : {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TMPDIR", "TZ", "XDG_CACHE_HOME",
                           "FERRY_CACHE", "FERRY_MODELS"})
    inherit(all, name);
  // ferry's own programs (ferry-upscale, ferry) are found last.
  std::error_code unknown;
  const auto own_programs = std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path();
  std::string& path = all["PATH"];
  path += (path.empty() ? "/usr/local/bin:/usr/bin:/bin:" : ":") + own_programs.string();
  for (const std::string& name : type.inherit_environment)
    inherit(all, name);
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"})
    all[name] = std::to_string(where.threads);
  for (const auto& [name, value] : type.environment)
    all[name] = value;
  // After the type's own: what a run is must not be overridden, and a run on one device must not reach for another.
  all["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
  all["CUDA_VISIBLE_DEVICES"] = where.on.kind == device_kind::gpu ? where.on.id : std::string();
  if (worker) {
    all["FERRY_WORKER_DIR"] = worker->directory.string();
    all["FERRY_WARM_PARAMS"] = worker->warm;
    return all;
  }
  std::string ids;
  for (const run_job& job : jobs)
    ids += (ids.empty() ? "" : ",") + to_string(job.id);
  all["FERRY_JOB_ID"] = ids;
  all["FERRY_BATCH_ID"] = to_string(batch);
  all["FERRY_JOB_DIR"] = jobs.size() == 1 ? jobs.front().dir.string() : (run_directory / "jobs").string();
  all["FERRY_RUN_DIR"] = run_directory.string();
  all["FERRY_EVENTS"] = (run_directory / "reported.jsonl").string();
  all["FERRY_SPEC"] = (run_directory / "spec.json").string();
  if (jobs.size() == 1 && !jobs.front().resume_from.empty())
    all["FERRY_RESUME_FROM"] = jobs.front().resume_from.string();
  return all;
}

bool declares_cwd(const config::job_type& type) {
  const json& schema = type.parameters.source();
  return schema.is_object() && schema.contains("properties") && schema.at("properties").contains("cwd");
}

result<std::filesystem::path> working_directory(const config::job_type& type, const values& from, const std::vector<run_job>& jobs,
                                                const std::filesystem::path& run_directory) {
  const std::filesystem::path own = jobs.size() == 1 ? jobs.front().dir : run_directory / "jobs";
  if (!declares_cwd(type))
    return own;
  bool asked = false;
  for (const run_job& job : jobs)
    asked |= job.params.contains("cwd") && job.params.at("cwd").is_string() && !job.params.at("cwd").get<std::string>().empty();
  if (!asked)
    return own;
  auto cwd = from.parameter("cwd");
  if (!cwd)
    return fail(std::move(cwd.error()));
  auto path = as_word(*cwd, "cwd");
  if (!path)
    return fail(std::move(path.error()));
  if (path->front() != '/')
    return fail(error_code::invalid_argument, "params.cwd: \"" + *path + "\" is not an absolute path");
  return std::filesystem::path(*path);
}

} // namespace

result<run_spec> make_run_spec(const config::job_type& type, batch_id batch, const placement& where, std::vector<run_job> jobs,
                               const std::filesystem::path& run_directory, const std::optional<worker_choice>& worker) {
  if (jobs.empty())
    return fail(error_code::invalid_argument, "batch " + to_string(batch) + " has no jobs");
  const values from(type, batch, where, jobs, run_directory);
  auto argv = expand_command(type, from);
  if (!argv)
    return fail(std::move(argv.error()));
  auto directory = worker ? result<std::filesystem::path>(worker->directory) : working_directory(type, from, jobs, run_directory);
  if (!directory)
    return fail(std::move(directory.error()));
  run_spec spec;
  spec.batch = batch;
  spec.type = type.name;
  spec.device = where.on.id;
  spec.argv = std::move(*argv);
  spec.directory = std::move(*directory);
  spec.environment = environment_of(type, batch, where, jobs, run_directory, worker);
  spec.grace = type.grace;
  spec.progress = type.progress;
  spec.progress_pattern = type.progress_pattern;
  spec.jobs = std::move(jobs);
  if (worker)
    spec.worker = worker_place{.id = worker->id,
                               .directory = worker->directory,
                               .warm_number = worker->warm_number,
                               .warm = worker->warm,
                               .keep_alive = type.worker.keep_alive,
                               .ready_timeout = type.worker.ready_timeout,
                               .memory_mib = where.memory_mib};
  return spec;
}

} // namespace ferry::runners
