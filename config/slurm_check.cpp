#include "config/slurm_check.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace ferry::config {
namespace {

// What ferry itself decides: by these a batch is found again, runs once, and is known to have ended.
constexpr std::array<std::string_view, 9> own_options{"--job-name",  "--array",    "--requeue", "--wrap", "--wait",
                                                      "--test-only", "--parsable", "--no-kill", "--chdir"};

const toml::node* slurm_node(const toml::table& root, const char* key) {
  return root.at_path(std::string("devices.slurm.") + key).node();
}

// One word of Slurm's: a name, or a list of resources.
bool is_word(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 127; });
}

} // namespace

void check_slurm(toml_reader& reader, const toml::table& root, const settings& s) {
  const auto& slurm = s.devices.slurm;
  if (slurm.is_on() && s.node.is_member())
    reader.report("devices.slurm.partition", slurm_node(root, "partition"),
                  "cannot be set beside node.join: a node lends its own devices", "set it on the head");
  for (const auto& [key, text] : {std::pair{"partition", &slurm.partition}, {"gres", &slurm.gres}})
    if (!is_word(*text))
      reader.report(std::string("devices.slurm.") + key, slurm_node(root, key),
                    "must be one word, is \"" + shortened(*text) + "\"");
  for (const std::string& option : slurm.extra) {
    const std::string_view name = std::string_view(option).substr(0, option.find('='));
    if (!name.starts_with("--") || name.size() < 3)
      reader.report("devices.slurm.extra", slurm_node(root, "extra"),
                    "must hold options in one word each, holds \"" + shortened(option) + "\"", "write \"--account=vision\"");
    else if (std::find(own_options.begin(), own_options.end(), name) != own_options.end())
      reader.report("devices.slurm.extra", slurm_node(root, "extra"), "holds " + std::string(name) + ", which ferry sets itself",
                    "leave it out");
  }
}

void check_slurm_types(toml_reader& reader, const toml::table& root, const settings& s) {
  for (const std::string& name : s.devices.slurm.job_types) {
    const auto* type = s.find_job_type(name);
    if (!type)
      reader.report("devices.slurm.job_types", slurm_node(root, "job_types"),
                    "names \"" + shortened(name) + "\", which is no job type");
    else if (type->runner == runner_kind::worker)
      reader.report("devices.slurm.job_types", slurm_node(root, "job_types"),
                    "names " + name + ", which runs on workers: batches in Slurm have a process of their own",
                    "leave it out, or set its runner to \"process\"");
  }
}

} // namespace ferry::config
