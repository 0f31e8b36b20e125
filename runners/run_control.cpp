#include "runners/run_control.hpp"

#include "runners/control_loop.hpp"
#include "runners/file_times.hpp"
#include "runners/run_directory.hpp"
#include "runners/run_folders.hpp"
#include "runners/run_inspection.hpp"

#include <sys/stat.h>
#include <thread>

namespace ferry::runners {
namespace {

using namespace std::chrono_literals;

constexpr auto survivors_patience = 10s;
constexpr std::size_t reason_bytes_max = 1000; // a packet has to hold it

} // namespace

struct run_control::implementation {
  std::filesystem::path runs;
  control_loop loop;
};

run_control::run_control(std::filesystem::path runs_dir, std::filesystem::path shim, int shims_ready, listener on_report) {
  std::error_code failed; // launch() meets the same obstacle and says so
  auto runs = std::filesystem::absolute(runs_dir, failed).lexically_normal();
  if (!runs.has_filename())
    runs = runs.parent_path();
  std::filesystem::create_directories(runs.parent_path(), failed);
  ::mkdir(runs.c_str(), 0700);
  impl_.reset(new implementation{runs, {runs, std::move(shim), shims_ready, std::move(on_report)}});
}

run_control::~run_control() = default;

std::filesystem::path run_control::directory_of(batch_id batch) const { return impl_->runs / to_string(batch); }

result<void> run_control::launch(const run_spec& spec) {
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
  auto handed = impl_->loop.hand_over(spec.batch, command, std::move(folder->directory), std::move(folder->lock));
  if (!handed)
    remove_run_folder(impl_->runs, spec.batch);
  return handed;
}

void run_control::stop(batch_id batch, const std::string& reason, std::chrono::milliseconds grace) {
  impl_->loop.stop({batch, reason.substr(0, reason_bytes_max), grace});
}

run_condition run_control::inspect(batch_id batch) const { return inspect_run(directory_of(batch)); }

result<void> run_control::adopt(batch_id batch) { return impl_->loop.adopt(batch); }

result<void> run_control::end_survivors(batch_id batch) const {
  const run_traces traces(directory_of(batch));
  const auto until = std::chrono::steady_clock::now() + survivors_patience;
  for (auto pause = 1ms; !end_now(traces); pause = std::min(pause * 2, 100ms)) {
    if (std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(pause); // nothing tells when a process that is no child has ended
      continue;
    }
    std::string pids;
    for (const process_entry& process : traces.survivors())
      pids += " " + std::to_string(process.pid);
    return fail(error_code::io, "processes of batch " + to_string(batch) + " survive SIGKILL:" + pids);
  }
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

void run_control::sweep() const { sweep_run_folders(impl_->runs); }

} // namespace ferry::runners
