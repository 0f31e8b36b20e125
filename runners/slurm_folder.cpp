#include "runners/slurm_folder.hpp"

#include "runners/process_table.hpp"
#include "runners/run_directory.hpp"
#include "runners/run_folders.hpp"

#include <cerrno>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>

namespace ferry::runners {
namespace {

constexpr const char* id_name = "id";
constexpr const char* script_name = "run-batch";
constexpr const char* shim_name = "ferry-shim";
constexpr std::size_t program_bytes_max = 256 * 1024 * 1024, id_bytes_max = 64 * 1024;
// Slurm keeps a copy of the script and starts that on the node. The shell is replaced, so that Slurm's signals reach the
// supervisor.
constexpr std::string_view script_text =
    "#!/bin/sh\n# Written by ferryd: what Slurm starts for a batch.\nexec \"$1\" --run \"$2\"\n";

std::string new_id() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 8; ++i)
    id += "0123456789abcdefghijklmnopqrstuv"[random() % 32];
  return id;
}

result<void> sync(int directory, const char* name) {
  const descriptor file(name ? ::openat(directory, name, O_RDONLY | O_CLOEXEC) : ::fcntl(directory, F_DUPFD_CLOEXEC, 0));
  if (!file || ::fsync(file.get()) != 0)
    return fail(system_error(std::string("cannot write ") + (name ? name : "a folder") + " to disk", errno));
  return {};
}

// Whole under its name, or not at all: nodes may be starting from it. Nothing happens where it is so already.
result<void> put(int directory, const char* name, std::string_view text, mode_t mode) {
  if (const auto there = read_whole(directory, name, program_bytes_max); there && *there == text)
    return {};
  const std::string aside = std::string(".new-") + name;
  ::unlinkat(directory, aside.c_str(), 0);
  if (auto written = write_whole(directory, aside.c_str(), text); !written)
    return written;
  if (auto synced = sync(directory, aside.c_str()); !synced)
    return synced;
  if (::fchmodat(directory, aside.c_str(), mode, 0) != 0 || ::renameat(directory, aside.c_str(), directory, name) != 0)
    return fail(system_error(std::string("cannot create ") + name, errno));
  return sync(directory, nullptr);
}

// A copy of the data directory, at another place, is another one: it must not take the batches of the first for its own.
result<std::string> find_or_make_id(int directory, const std::string& place) {
  if (const auto text = read_whole(directory, id_name, id_bytes_max))
    if (const auto end = text->find('\n'); end != std::string::npos && text->substr(end + 1) == place + "\n")
      return text->substr(0, end);
  const auto made = new_id();
  if (auto written = put(directory, id_name, made + "\n" + place + "\n", 0600); !written)
    return fail(written.error());
  return made;
}

} // namespace

std::vector<std::string> slurm_folder::command_for(const std::filesystem::path& run) const {
  return {script.string(), shim.string(), run.string()};
}

result<slurm_folder> open_slurm_folder(const std::filesystem::path& data_dir, const std::filesystem::path& shim) {
  const auto path = std::filesystem::absolute(data_dir).lexically_normal() / "slurm";
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(system_error("cannot create " + path.string(), errno));
  const descriptor directory = open_directory(path);
  const descriptor programs = open_directory(shim.parent_path());
  if (!directory || !programs)
    return fail(system_error("cannot open " + (directory ? shim.parent_path() : path).string(), errno));
  const auto program = read_whole(programs.get(), shim.filename().c_str(), program_bytes_max);
  if (!program)
    return fail(program.error());
  auto id = find_or_make_id(directory.get(), path.string());
  if (!id)
    return fail(std::move(id.error()));
  for (const auto& [name, text] : {std::pair<const char*, std::string_view>{script_name, script_text}, {shim_name, *program}})
    if (auto written = put(directory.get(), name, text, 0700); !written)
      return fail(std::move(written.error()));
  return slurm_folder{std::move(*id), path / script_name, path / shim_name};
}

result<void> make_shared_run_folder(const std::filesystem::path& runs, const run_spec& spec) {
  std::string text;
  try {
    json document = to_json(spec);
    document["boot_id"] = boot_id();
    text = document.dump();
  } catch (const json::exception&) {
    return fail(error_code::invalid_argument, "batch " + to_string(spec.batch) + ": its command or environment is not UTF-8");
  }
  const auto made = make_run_folder(runs, spec, text);
  if (!made)
    return fail(made.error());
  const descriptor all = open_directory(runs);
  for (const auto& synced : {sync(made->directory.get(), run_file::spec), sync(made->directory.get(), run_file::lock),
                             sync(made->directory.get(), nullptr), sync(all.get(), nullptr)})
    if (!synced) {
      remove_run_folder(runs, spec.batch);
      return synced;
    }
  return {};
}

} // namespace ferry::runners
