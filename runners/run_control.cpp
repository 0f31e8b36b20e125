#include "runners/run_control.hpp"

#include "runners/control_loop.hpp"
#include "runners/file_times.hpp"
#include "runners/run_directory.hpp"
#include "runners/run_folders.hpp"
#include "runners/run_inspection.hpp"

#include <algorithm>
#include <sys/stat.h>
#include <thread>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;

constexpr auto survivors_patience = 10s;
constexpr std::size_t worker_bytes_max = 1024 * 1024;
constexpr std::size_t reason_bytes_max = 1000; // a packet has to hold it

result<void> add_worker_folder(const run_spec& spec, control_loop::handover& what) {
  const json document{{"type", spec.type},
                      {"device", spec.device},
                      {"warm", spec.worker->warm},
                      {"warm_number", spec.worker->warm_number},
                      {"memory_mib", spec.worker->memory_mib},
                      {"boot_id", boot_id()}};
  auto folder = make_worker_folder(spec, document.dump(-1, ' ', false, json::error_handler_t::replace));
  if (!folder)
    return fail(std::move(folder.error()));
  what.worker_directory = std::move(folder->directory);
  what.worker_lock = std::move(folder->lock);
  return {};
}

// KILL to all of it until it is gone; the pids of those that survive that, for ten seconds, in words.
std::string end_patiently(const run_traces& traces) {
  const auto until = std::chrono::steady_clock::now() + survivors_patience;
  for (auto pause = 1ms; !end_now(traces); pause = std::min(pause * 2, 100ms)) {
    if (std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(pause); // nothing tells when a process that is no child has ended
      continue;
    }
    std::string pids;
    for (const process_entry& process : traces.survivors())
      pids += " " + std::to_string(process.pid);
    return pids;
  }
  return {};
}

} // namespace

struct run_control::implementation {
  std::filesystem::path runs, workers;
  control_loop loop;
};

run_control::run_control(std::filesystem::path runs_dir, std::filesystem::path shim, int shims_ready, listener on_report) {
  std::error_code failed; // launch() meets the same obstacle and says so
  auto runs = std::filesystem::absolute(runs_dir, failed).lexically_normal();
  if (!runs.has_filename())
    runs = runs.parent_path();
  std::filesystem::create_directories(runs.parent_path(), failed);
  ::mkdir(runs.c_str(), 0700);
  const auto workers = runs.parent_path() / "workers";
  impl_.reset(new implementation{runs, workers, {runs, workers, std::move(shim), shims_ready, std::move(on_report)}});
}

run_control::~run_control() = default;

std::filesystem::path run_control::directory_of(batch_id batch) const { return impl_->runs / to_string(batch); }

result<void> run_control::launch(const run_spec& spec) { return hand_over(spec, false); }

result<void> run_control::launch_next(const run_spec& spec) { return hand_over(spec, true); }

bool run_control::withdraw(batch_id batch) {
  const bool was_waiting = impl_->loop.withdraw(batch);
  if (was_waiting)
    remove_run_folder(impl_->runs, batch);
  return was_waiting;
}

result<void> run_control::hand_over(const run_spec& spec, bool may_wait) {
  std::string text;
  try {
    json document = to_json(spec);
    document["boot_id"] = boot_id(); // a run that left no trace cannot have started only if the machine has not restarted since
    text = document.dump();
  } catch (const json::exception& e) {
    return fail(error_code::invalid_argument, "batch " + to_string(spec.batch) + ": its command or environment is not UTF-8");
  }
  auto folder = make_run_folder(impl_->runs, spec, text);
  if (!folder)
    return fail(std::move(folder.error()));
  const std::string head = R"({"type":"run","batch":)" + to_string(spec.batch);
  constexpr std::string_view spec_key = R"(,"spec":)";
  const bool fits = head.size() + spec_key.size() + text.size() + 1 <= packet_bytes_max;
  const std::string command = fits ? head + std::string(spec_key) + text + "}" : head + "}";
  control_loop::handover what{spec.batch, command, std::move(folder->directory), std::move(folder->lock)};
  what.may_wait = may_wait;
  result<void> handed;
  if (spec.worker) {
    what.worker = spec.worker->id;
    if (spec.worker->id.value == spec.batch.value)
      handed = add_worker_folder(spec, what);
  }
  if (handed)
    handed = impl_->loop.hand_over(std::move(what));
  if (!handed)
    remove_run_folder(impl_->runs, spec.batch);
  return handed;
}

void run_control::stop(batch_id batch, const std::string& reason, std::chrono::milliseconds grace, std::vector<job_id> jobs) {
  impl_->loop.stop({batch, reason.substr(0, reason_bytes_max), grace, std::move(jobs)});
}

// ---- workers ----------------------------------------------------------------------------------------------------------------

void run_control::end_worker(worker_id worker, std::chrono::milliseconds grace) { impl_->loop.end_worker(worker, grace); }

std::filesystem::path run_control::worker_directory_of(worker_id worker) const { return impl_->workers / to_string(worker); }

bool run_control::is_known(worker_id worker) const { return impl_->loop.is_known(worker); }

void run_control::adopt_worker(worker_id worker) { impl_->loop.adopt_worker(worker); }

std::vector<run_control::worker_found> run_control::find_workers() const {
  std::vector<worker_found> found;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(impl_->workers, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (name.empty() || name.size() > 18 || name.find_first_not_of("0123456789") != std::string::npos)
      continue;
    worker_found one{.id = {std::stoll(name)}, .type = {}, .device = {}, .warm = {}};
    const descriptor directory = open_directory(entry->path());
    const auto text = directory ? read_whole(directory.get(), run_file::worker, worker_bytes_max) : fail(error_code::io, "");
    const json document = text ? json::parse(*text, nullptr, false) : json();
    if (document.is_object()) {
      one.type = document.value("type", std::string());
      one.device = document.value("device", std::string());
      one.warm = document.value("warm", std::string());
      one.warm_number = document.value("warm_number", std::uint64_t{0});
      one.memory_mib = document.value("memory_mib", std::int64_t{0});
      one.is_alive = probe_lock(directory.get()) == lock_state::held;
    }
    found.push_back(std::move(one));
  }
  std::sort(found.begin(), found.end(), [](const worker_found& a, const worker_found& b) { return a.id < b.id; });
  return found;
}

result<void> run_control::bury_worker(worker_id worker) const {
  const auto path = impl_->workers / to_string(worker);
  if (const auto pids = end_patiently(run_traces::of_worker(path)); !pids.empty())
    return fail(error_code::io, "processes of worker " + to_string(worker) + " survive SIGKILL:" + pids);
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
  return {};
}

worker_id run_control::worker_of(batch_id batch) const {
  const descriptor directory = open_directory(directory_of(batch));
  const auto spec = directory ? read_spec(directory.get()) : result<run_spec>(fail(error_code::not_found, ""));
  return spec && spec->worker ? spec->worker->id : worker_id{};
}

std::map<worker_id, std::vector<int>> run_control::find_worker_processes() const {
  return runners::find_worker_processes(impl_->workers);
}

run_condition run_control::inspect(batch_id batch) const { return inspect_run(directory_of(batch)); }

result<void> run_control::adopt(batch_id batch) { return impl_->loop.adopt(batch); }

result<void> run_control::end_survivors(batch_id batch) const {
  if (const auto pids = end_patiently(run_traces(directory_of(batch))); !pids.empty())
    return fail(error_code::io, "processes of batch " + to_string(batch) + " survive SIGKILL:" + pids);
  return {};
}

std::optional<instant> run_control::last_output(batch_id batch) const {
  struct stat info {};
  if (::stat((directory_of(batch) / run_file::output).c_str(), &info) != 0 || info.st_size == 0)
    return std::nullopt;
  return written_at(info);
}

bool run_control::is_supervised(batch_id batch) const {
  const descriptor directory = open_directory(directory_of(batch));
  return directory && probe_lock(directory.get()) == lock_state::held;
}

std::map<batch_id, std::vector<int>> run_control::find_processes() const { return find_run_processes(impl_->runs); }

void run_control::sweep() const {
  sweep_run_folders(impl_->runs);
  sweep_run_folders(impl_->workers);
}

} // namespace ferry::runners
