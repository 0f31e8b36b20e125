#include "config/loader.hpp"

#include "config/command_template.hpp"
#include "config/limits.hpp"
#include "config/schema_order.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <regex>
#include <set>

namespace ferry::config {
namespace {

constexpr std::string_view built_in_name = "command";

const std::vector<std::string>& overridable() {
  static const std::vector<std::string> keys{"device",
                                             "slots",
                                             "memory_mib",
                                             "threads",
                                             "environment",
                                             "inherit_environment",
                                             "grace",
                                             "tier",
                                             "preemptible",
                                             "checkpoint_files",
                                             "survive_partition",
                                             "failure_storm",
                                             "failure_storm_window",
                                             "max_run_time",
                                             "on_max_run_time",
                                             "max_start_time",
                                             "on_max_start_time",
                                             "heartbeat",
                                             "on_heartbeat",
                                             "stall_factor",
                                             "on_stall",
                                             "idle_gpu",
                                             "on_idle_gpu",
                                             "metric_rules",
                                             "retry"};
  return keys;
}

bool is_type_name(std::string_view name) {
  constexpr std::size_t characters_max = 63;
  const auto inner = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= characters_max && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(), inner);
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// The deepest part of `node` that a JSON pointer leads to: where a fault of the schema stands in the file.
const toml::node* node_at(const toml::node* node, std::string_view pointer) {
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    std::string token(pointer.substr(0, end));
    pointer.remove_prefix(end);
    for (const auto& [escape, plain] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}})
      for (std::size_t at = token.find(escape); at != std::string::npos; at = token.find(escape, at + 1))
        token.replace(at, 2, plain);
    const toml::node* next = nullptr;
    if (const auto* table = node->as_table())
      next = table->get(token);
    else if (const auto* list = node->as_array();
             list != nullptr && !token.empty() && token.find_first_not_of("0123456789") == std::string::npos && token.size() < 7)
      next = list->get(static_cast<std::size_t>(std::stoul(token)));
    if (next == nullptr)
      return node;
    node = next;
  }
  return node;
}

class type_reader {
public:
  type_reader(toml_reader& reader, const settings& all, std::string name, const toml::table& table)
      : reader_(reader), all_(all), table_(table), prefix_(dotted("job_types", name)) {
    type_.name = std::move(name);
  }

  job_type read() {
    if (type_.name == built_in_name)
      type_ = built_in_command();
    type_.config_dir = std::filesystem::path(reader_.anchored("_")).parent_path();
    read_keys();
    if (type_.name != built_in_name) {
      check_runner();
      check_batching();
      check_command();
      check_progress();
    }
    check_environment();
    check_size();
    check_resuming();
    return std::move(type_);
  }

private:
  void fault(std::string_view key, std::string what, std::string hint = {}) {
    const toml::node* node = table_.at_path(key).node();
    reader_.report(prefix_ + "." + std::string(key), node == nullptr ? &table_ : node, std::move(what), std::move(hint));
  }

  void read_keys();
  void read_key(const std::string& key, const toml::key& name, const toml::node& node, const std::vector<std::string>& known);
  void check_metric_rules(const std::vector<std::string>& texts, const toml::node& node);
  void read_parameters(const toml::node& node);
  void check_runner();
  [[nodiscard]] bool is_changed(const option<job_type>& declared) const;
  void check_batching();
  void check_paths(const std::string& key, const std::vector<std::string>& paths);
  void check_warm_word(const template_piece& piece, const std::string& key, const toml::node* node);
  void check_command();
  void check_word(const std::string& word, std::size_t index);
  void check_parameter(const template_piece& piece, const std::string& key, const toml::node* node);
  void check_progress();
  void check_environment();
  void check_size();
  void check_resuming();

  toml_reader& reader_;
  const settings& all_;
  const toml::table& table_;
  std::string prefix_;
  job_type type_;
  bool parameters_are_sound_ = true;
};

void type_reader::read_keys() {
  std::vector<std::string> known;
  for (const auto& o : job_type_options())
    known.emplace_back(o.key);
  for (const auto& [name, node] : table_)
    read_key(std::string(name.str()), name, node, known);
}

// `key` is dotted: some options stand in tables of their own.
void type_reader::read_key(const std::string& key, const toml::key& name, const toml::node& node,
                           const std::vector<std::string>& known) {
  const std::string full = prefix_ + "." + key;
  const auto& all = job_type_options();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& o) { return o.key == key; });
  const bool is_section = std::any_of(all.begin(), all.end(), [&](const auto& o) { return o.key.starts_with(key + "."); });
  if (found == all.end() && is_section && node.is_table()) {
    for (const auto& [inner_name, inner] : *node.as_table())
      read_key(key + "." + std::string(inner_name.str()), inner_name, inner, known);
  } else if (found == all.end()) {
    reader_.report_unknown(full, name, known);
  } else if (type_.name == built_in_name && std::find(overridable().begin(), overridable().end(), key) == overridable().end() &&
             !key.starts_with("retry.")) {
    reader_.report(full, &node, "cannot be changed: command is built in", "of it may be set: " + joined(overridable(), ", "));
  } else if (found->kind == option_kind::schema) {
    read_parameters(node);
  } else if (const auto value = reader_.read(*found, full, node)) {
    if (key == "metric_rules")
      check_metric_rules(std::get<std::vector<std::string>>(*value), node);
    found->set(type_, *value);
  }
}

void type_reader::check_metric_rules(const std::vector<std::string>& texts, const toml::node& node) {
  const std::string key = prefix_ + ".metric_rules";
  if (texts.size() > limits::metric_rules_max)
    reader_.report(key, &node,
                   "must have at most " + std::to_string(limits::metric_rules_max) + " rules, has " + std::to_string(texts.size()));
  for (std::size_t i = 0; i < texts.size() && i < limits::metric_rules_max; ++i)
    if (auto rule = parse_metric_rule(texts[i]); !rule)
      reader_.report(key + "[" + std::to_string(i) + "]", &node, std::move(rule.error().what), std::move(rule.error().hint));
}

void type_reader::read_parameters(const toml::node& node) {
  const std::string key = prefix_ + ".parameters";
  parameters_are_sound_ = false;
  if (!node.is_table()) {
    reader_.report(key, &node, "must be a JSON Schema written as a table, is " + shown(node));
    return;
  }
  const std::size_t before = reader_.problem_count();
  json schema = reader_.to_json(node, key);
  if (reader_.problem_count() != before)
    return;
  add_written_order(schema, node);
  auto compiled = parameter_schema::compile(schema);
  if (compiled) {
    type_.parameters = std::move(*compiled);
    parameters_are_sound_ = true;
    return;
  }
  for (problem& p : compiled.error().problems)
    reader_.report(key + p.where, node_at(&node, p.where), std::move(p.what), std::move(p.hint));
}

void type_reader::check_runner() {
  const bool is_worker = type_.runner == runner_kind::worker;
  for (const auto& declared : job_type_options()) {
    const bool of_workers = declared.key == "warm_key" || declared.key == "keep_alive" || declared.key == "ready_timeout";
    const bool of_processes =
        declared.key == "progress" || declared.key == "progress_pattern" || declared.key == "resume_arguments";
    if (!is_worker && of_workers && is_changed(declared))
      fault(declared.key, "has no effect unless runner = \"worker\"");
    if (is_worker && of_processes && is_changed(declared))
      fault(declared.key,
            "has no effect with runner = \"worker\": it tells by itself how far it is, and reads what it resumes from");
  }
}

bool type_reader::is_changed(const option<job_type>& declared) const { return declared.get(type_) != declared.get(job_type{}); }

void type_reader::check_batching() {
  check_paths("warm_key", type_.worker.warm_key);
  check_paths("batch.same", type_.batch.same);
  check_paths("estimate.parameters", type_.estimate.parameters);
  check_paths("estimate.hints", type_.estimate.hints);
  check_paths("batch.same_keys", type_.batch.same_keys);
  std::vector<std::string> tolerated;
  for (const auto& [path, unused] : type_.batch.within)
    tolerated.push_back(path);
  check_paths("batch.within", tolerated);
  if (!type_.batch.items.empty())
    check_paths("batch.items", {type_.batch.items});
  for (const auto& declared : job_type_options())
    if (type_.batch.max_items == 1 && declared.key.starts_with("batch.") && declared.key != "batch.items" &&
        declared.key != "batch.overtaking" && is_changed(declared))
      fault(declared.key, "has no effect unless batch.max_items is above 1");
}

void type_reader::check_paths(const std::string& key, const std::vector<std::string>& paths) {
  if (paths.size() > limits::batch_paths_max)
    fault(key,
          "must name at most " + std::to_string(limits::batch_paths_max) + " parameters, names " + std::to_string(paths.size()));
  for (const std::string& path : paths)
    if (parameters_are_sound_ && type_.parameters.presence_of(path) == presence::never)
      fault(key, "names \"" + shortened(path) + "\", a parameter that the schema does not have",
            did_you_mean(path, type_.parameters.property_paths()));
}

void type_reader::check_command() {
  const toml::node* node = table_.get("command");
  if (type_.command.empty()) {
    if (node == nullptr || (node->is_array() && node->as_array()->empty()))
      fault("command", "is required: the program and its arguments, one a word",
            "command = [\"python3\", \"run.py\", \"--spec\", \"{spec}\"]");
    return;
  }
  if (type_.command.front().empty())
    fault("command", "must begin with a program, is empty");
  if (type_.shell && type_.command.size() != 1)
    fault("command", "must be one word when shell = true, has " + std::to_string(type_.command.size()));
  for (std::size_t i = 0; i < type_.command.size(); ++i)
    check_word(type_.command[i], i);
}

void type_reader::check_word(const std::string& word, std::size_t index) {
  const std::string key = prefix_ + ".command[" + std::to_string(index) + "]";
  const toml::node* node = table_.get("command")->as_array()->get(index);
  auto pieces = parse_template(word);
  if (!pieces) {
    reader_.report(key, node, std::move(pieces.error().what), std::move(pieces.error().hint));
    return;
  }
  for (const template_piece& piece : *pieces) {
    if (piece.what == template_piece::kind::placeholder && piece.text == "checkpoint")
      reader_.report(key, node, "{checkpoint} has a value only in resume_arguments", "name it there, or read $FERRY_RESUME_FROM");
    if (piece.what == template_piece::kind::parameter_list && type_.shell)
      reader_.report(key, node, "{params." + piece.text + "...} cannot be used with shell = true: a shell command is one word");
    if (type_.runner == runner_kind::worker)
      check_warm_word(piece, key, node);
    if (piece.what == template_piece::kind::parameter || piece.what == template_piece::kind::parameter_list)
      check_parameter(piece, key, node);
  }
}

// A worker is started for more than one job.
void type_reader::check_warm_word(const template_piece& piece, const std::string& key, const toml::node* node) {
  const bool is_parameter = piece.what == template_piece::kind::parameter || piece.what == template_piece::kind::parameter_list;
  const auto& warm = type_.worker.warm_key;
  if (is_parameter && std::find(warm.begin(), warm.end(), piece.text) == warm.end())
    reader_.report(key, node, "{params." + piece.text + "} is not named by warm_key: a worker serves jobs that differ in it");
  static const std::set<std::string_view> of_jobs{"spec", "dir", "job_id", "batch_id"};
  if (piece.what == template_piece::kind::placeholder && of_jobs.contains(piece.text))
    reader_.report(key, node, "{" + piece.text + "} has no value for a worker, which serves many jobs");
}

void type_reader::check_parameter(const template_piece& piece, const std::string& key, const toml::node* node) {
  if (!parameters_are_sound_)
    return;
  const auto& same = type_.batch.same;
  if (type_.runner == runner_kind::process && type_.batch.max_items > 1 &&
      std::find(same.begin(), same.end(), piece.text) == same.end())
    reader_.report(key, node, "{params." + piece.text + "} may differ between the jobs of a batch",
                   "name it in batch.same, or let the program read {spec}");
  switch (type_.parameters.presence_of(piece.text)) {
  case presence::always: break;
  case presence::never:
    reader_.report(key, node, "{params." + piece.text + "} names a parameter that the schema does not have",
                   did_you_mean(piece.text, type_.parameters.property_paths()));
    break;
  case presence::sometimes:
    if (table_.contains("parameters"))
      reader_.report(key, node, "{params." + piece.text + "} names a parameter that a job may leave out",
                     "make it required or give it a default");
    break;
  }
}

void type_reader::check_progress() {
  const bool by_pattern = type_.progress == progress_source::pattern;
  if (by_pattern && type_.progress_pattern.empty())
    fault("progress_pattern", "is required when progress = \"pattern\"");
  if (!by_pattern && !type_.progress_pattern.empty())
    fault("progress_pattern", "has no effect unless progress = \"pattern\"");
  if (type_.progress_pattern.empty())
    return;
  try {
    const std::regex compiled(type_.progress_pattern);
    if (const auto groups = compiled.mark_count(); groups != 1 && groups != 2)
      fault("progress_pattern",
            "must have one group (a fraction or a percentage) or two (step and total), has " + std::to_string(groups));
  } catch (const std::regex_error& e) { fault("progress_pattern", "is not a regular expression: " + std::string(e.what())); }
}

void type_reader::check_environment() {
  static const std::set<std::string_view> own{"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"};
  const auto check = [&](const std::string& key, const std::string& name) {
    const toml::node* node = table_.get(key);
    const std::string where = prefix_ + "." + key;
    if (!is_variable_name(name))
      reader_.report(where, node,
                     "must hold names of letters, digits and _ that do not begin with a digit, is \"" + shortened(name) + "\"");
    else if (name.starts_with("FERRY_") || own.contains(name))
      reader_.report(where, node, "must not set " + shortened(name) + ": ferry sets it for each run");
  };
  if (table_.contains("environment"))
    for (const auto& [name, unused] : type_.environment)
      check("environment", name);
  if (table_.contains("inherit_environment"))
    for (const std::string& name : type_.inherit_environment) {
      check("inherit_environment", name);
      if (type_.environment.contains(name))
        fault("inherit_environment", "names " + shortened(name) + ", which environment sets");
    }
}

// More than every device that it may go to was given would wait for ever. Those of nodes may be larger than this machine's.
void type_reader::check_size() {
  if (all_.node.is_on() || all_.node.is_member())
    return;
  const auto& devices = all_.devices;
  const bool on_gpu = type_.device != device_choice::cpu && devices.gpu.enabled;
  const bool on_cpu = type_.device != device_choice::gpu;
  if (type_.device == device_choice::gpu && !devices.gpu.enabled)
    fault("device", "is \"gpu\", but devices.gpu.enabled is false");
  if (on_cpu && !on_gpu && devices.cpu.slots > 0 && type_.slots > devices.cpu.slots)
    fault("slots",
          "must be at most devices.cpu.slots " + std::to_string(devices.cpu.slots) + ", is " + std::to_string(type_.slots));
  if (on_gpu && !on_cpu && type_.slots > devices.gpu.slots)
    fault("slots",
          "must be at most devices.gpu.slots " + std::to_string(devices.gpu.slots) + ", is " + std::to_string(type_.slots));
  if (on_cpu && !on_gpu && devices.cpu.memory_mib > 0 && type_.memory_mib > devices.cpu.memory_mib)
    fault("memory_mib", "must be at most devices.cpu.memory_mib " + std::to_string(devices.cpu.memory_mib) + ", is " +
                            std::to_string(type_.memory_mib));
}

void type_reader::check_resuming() {
  const std::string& files = type_.checkpoint_files;
  if (!files.empty() && (files.front() == '/' || files.find("..") != std::string::npos))
    fault("checkpoint_files", "must be a pattern of paths below the job's directory, is \"" + shortened(files) + "\"");
  for (const std::string& word : type_.resume_arguments)
    if (const auto pieces = parse_template(word); !pieces)
      fault("resume_arguments", pieces.error().what, pieces.error().hint);
  if (!type_.resume_arguments.empty() && type_.shell)
    fault("resume_arguments", "cannot be used with shell = true: a shell command is one word", "use \"$FERRY_RESUME_FROM\" in it");
  if (type_.retry.delay > type_.retry.delay_max)
    fault("retry.delay", "must be at most retry.delay_max");
}

} // namespace

job_type built_in_command() {
  static const parameter_schema parameters = *parameter_schema::compile(json::parse(R"({
    "type": "object",
    "properties": {
      "argv": {"type": "array", "items": {"type": "string"}, "minItems": 1, "description": "the program and its arguments"},
      "cwd": {"type": "string", "pattern": "^/", "maxLength": 4096, "description": "an absolute path: where it runs; else the job's directory"}
    },
    "required": ["argv"]
  })"));
  job_type type;
  type.name = built_in_name;
  type.description = "Runs any program";
  type.command = {"{params.argv...}"};
  type.failure_storm = 0; // its jobs have nothing in common
  type.parameters = parameters;
  return type;
}

void read_job_types(toml_reader& reader, const toml::node* node, settings& out) {
  bool has_built_in = false;
  if (node != nullptr && !node->is_table()) {
    reader.report("job_types", node, "must be a table, is " + shown(*node), "write [job_types.name]");
  } else if (node != nullptr) {
    const toml::table& types = *node->as_table();
    if (types.size() > limits::job_types_max) {
      reader.report("job_types", node,
                    "must have at most " + std::to_string(limits::job_types_max) + " job types, has " +
                        std::to_string(types.size()));
      return;
    }
    for (const auto& [name, type] : types) {
      const std::string key = dotted("job_types", name.str());
      if (!is_type_name(name.str()))
        reader.report(key, &type, "must have a name of a lower-case letter and up to 62 lower-case letters, digits, _ and -");
      else if (!type.is_table())
        reader.report(key, &type, "must be a table, is " + shown(type), "write [" + key + "]");
      else
        out.job_types.push_back(type_reader(reader, out, std::string(name.str()), *type.as_table()).read());
      has_built_in = has_built_in || name.str() == built_in_name;
    }
  }
  if (!has_built_in)
    out.job_types.push_back(built_in_command());
  std::sort(out.job_types.begin(), out.job_types.end(), [](const job_type& a, const job_type& b) { return a.name < b.name; });
}

} // namespace ferry::config
