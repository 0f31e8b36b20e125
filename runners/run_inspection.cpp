#include "runners/run_inspection.hpp"

#include "runners/run_directory.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace ferry::runners {
namespace {

constexpr std::size_t spec_bytes_max = 256 * 1024 * 1024;
constexpr std::size_t first_line_bytes_max = 4096;

const run_exited* exit_among(const std::vector<run_event>& events) {
  for (const run_event& event : events)
    if (const auto* exited = std::get_if<run_exited>(&event))
      return exited;
  return nullptr;
}

std::vector<int> pids_of(const std::vector<process_entry>& processes) {
  std::vector<int> pids;
  for (const process_entry& process : processes)
    pids.push_back(process.pid);
  return pids;
}

json document_of(int directory) {
  const auto text = read_whole(directory, run_file::spec, spec_bytes_max);
  return text ? json::parse(*text, nullptr, false) : json(json::value_t::discarded);
}

// Without an exit record and without a shim.
run_condition condition_without_end(const std::filesystem::path& path, int directory, std::vector<run_event> events) {
  if (read_shim_identity(directory))
    return run_lost{pids_of(run_traces(path).survivors()), std::move(events)};
  if (!events.empty())
    return run_damaged{"events.jsonl tells of a start, but shim.json is missing or cannot be read"};
  const json document = document_of(directory);
  if (document.is_discarded())
    return run_damaged{"spec.json is missing or is not JSON"};
  if (auto spec = run_spec_from(document); !spec)
    return run_damaged{spec.error().what};
  // What was written just before a power cut may be missing, so an older boot's run cannot be known not to have started.
  if (document.value("boot_id", boot_id()) != boot_id())
    return run_lost{};
  return run_never_started{"its shim was gone before it started a process"};
}

} // namespace

run_condition inspect_run(const std::filesystem::path& path) {
  std::error_code failed;
  if (!std::filesystem::exists(path, failed) && !failed) {
    if (!run_traces(path).survivors().empty())
      return run_damaged{"it was removed while the job ran"};
    return run_absent{};
  }
  const descriptor directory = open_directory(path);
  if (!directory)
    return run_damaged{path.string() + " is not a directory that can be read"};
  const lock_state lock = probe_lock(directory.get()); // before the record is read: once it is free, the record is complete
  std::vector<run_event> events;
  event_reader().read(directory.get(), events);
  if (const run_exited* exited = exit_among(events)) {
    run_exited end = *exited;
    return run_over{std::move(end), std::move(events)};
  }
  if (lock == lock_state::held)
    return run_alive{};
  if (lock == lock_state::missing && !read_shim_identity(directory.get()))
    return run_damaged{"shim.lock is missing"};
  return condition_without_end(path, directory.get(), std::move(events));
}

run_traces::run_traces(const std::filesystem::path& path) : assignment_("FERRY_RUN_DIR=" + path.string()) {
  const descriptor directory = open_directory(path);
  if (!directory)
    return;
  // As the run was given it: the data directory may be reached by another name now.
  const json document = document_of(directory.get());
  if (document.is_object() && document.contains("environment") && document.at("environment").is_object())
    for (const char* name : {"FERRY_RUN_DIR", "FERRY_WORKER_DIR"})
      if (const auto given = document.at("environment").find(name); given != document.at("environment").end() && given->is_string())
        assignment_ = std::string(name) + "=" + given->get<std::string>();
  if (const auto shim = read_shim_identity(directory.get()))
    other_boot_ = shim->boot_id != boot_id();
  read_started(directory.get());
}

run_traces run_traces::of_worker(const std::filesystem::path& path) {
  run_traces traces;
  traces.assignment_ = "FERRY_WORKER_DIR=" + path.string();
  if (const descriptor directory = open_directory(path))
    if (const auto shim = read_shim_identity(directory.get()))
      traces.other_boot_ = shim->boot_id != boot_id();
  return traces;
}

// The first line that the shim wrote, with the bounds of the start time that run_started does not carry.
void run_traces::read_started(int directory) {
  const descriptor file(::openat(directory, run_file::events, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::string text(first_line_bytes_max, '\0');
  const ssize_t size = file ? ::pread(file.get(), text.data(), text.size(), 0) : 0;
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const json line = json::parse(text.substr(0, text.find('\n')), nullptr, false);
  try {
    if (line.is_discarded() || line.at("type") != "started")
      return;
    start_ticks_min_ = line.at("start_ticks").at(0).get<std::uint64_t>();
    start_ticks_max_ = line.at("start_ticks").at(1).get<std::uint64_t>();
    pid_ = line.at("pid").get<int>();
  } catch (const json::exception&) { pid_ = 0; }
}

std::vector<process_entry> run_traces::survivors() const {
  if (other_boot_)
    return {};
  const auto all = list_processes();
  const int self = ::getpid();
  const bool leader_known = std::any_of(all.begin(), all.end(), [this](const process_entry& p) {
    return pid_ != 0 && p.pid == pid_ && p.start_ticks >= start_ticks_min_ && p.start_ticks <= start_ticks_max_;
  });
  std::vector<process_entry> found;
  std::vector<int> roots;
  for (const process_entry& process : all) {
    const bool in_session = leader_known && (process.session == pid_ || process.group == pid_);
    if (process.pid == self || !process.is_live() || (!in_session && !has_environment(process.pid, assignment_)))
      continue;
    found.push_back(process);
    roots.push_back(process.pid);
  }
  for (const process_entry& descendant : descendants_of(roots, all))
    if (descendant.pid != self)
      found.push_back(descendant);
  return found;
}

namespace {

// By the number at the end of the path that `variable` holds in their environment.
template <class Id>
std::map<Id, std::vector<int>> processes_by(const char* variable, const std::filesystem::path& in) {
  std::map<Id, std::vector<int>> found;
  const std::string folder = in.string() + "/";
  const int self = ::getpid();
  for (const process_entry& process : list_processes()) {
    if (!process.is_live() || process.pid == self)
      continue;
    const auto directory = environment_value(process.pid, variable);
    if (!directory || !directory->starts_with(folder))
      continue;
    Id id;
    const char* const begin = directory->data() + folder.size();
    const char* const end = directory->data() + directory->size();
    if (const auto [rest, bad] = std::from_chars(begin, end, id.value); bad == std::errc{} && rest == end && id.value > 0)
      found[id].push_back(process.pid);
  }
  return found;
}

} // namespace

std::map<batch_id, std::vector<int>> find_run_processes(const std::filesystem::path& runs) {
  return processes_by<batch_id>("FERRY_RUN_DIR", runs);
}

std::map<worker_id, std::vector<int>> find_worker_processes(const std::filesystem::path& workers) {
  return processes_by<worker_id>("FERRY_WORKER_DIR", workers);
}

bool end_now(const run_traces& traces) {
  for (int look = 0; look < 2; ++look) {
    const auto left = traces.survivors();
    for (const process_entry& process : left)
      send_signal(process, SIGKILL);
    if (!left.empty())
      return false;
  }
  return true;
}

} // namespace ferry::runners
