#include "run_harness.hpp"

#include <catch2/catch_all.hpp>
#include <cstdlib>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ferry::runners::test {
namespace {

using namespace std::chrono_literals;
constexpr auto patience = 60s;

} // namespace

scratch::scratch() {
  std::string name = (std::filesystem::temp_directory_path() / "ferry-runners-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("cannot make a temporary directory");
  path_ = name;
}

scratch::~scratch() {
  std::error_code ignored;
  for (int tries = 0; tries < 100 && std::filesystem::exists(path_, ignored); ++tries)
    std::filesystem::remove_all(path_, ignored); // a shim that is about to end may still remove its socket meanwhile
}

harness::harness(int shims_ready) : scratch_(std::in_place), runs_(scratch_->path() / "runs"), shims_ready_(shims_ready) {
  start();
}

harness::harness(std::filesystem::path runs, int shims_ready) : runs_(std::move(runs)), shims_ready_(shims_ready) { start(); }

harness::~harness() = default;

void harness::start() {
  control_ =
      std::make_unique<run_control>(runs_, FERRY_SHIM_PATH, shims_ready_, [this](run_control::report r) { record(std::move(r)); });
}

void harness::shut_down() { control_.reset(); }

void harness::restart() {
  control_.reset();
  histories_.clear();
  start();
}

void harness::record(run_control::report report) {
  const std::lock_guard lock(mutex_);
  if (!report.worker.is_none()) {
    gone_.insert(report.worker);
    changed_.notify_all();
    return;
  }
  history& known = histories_[report.batch];
  for (run_event& event : report.events)
    known.events.push_back(std::move(event));
  known.reports_over += report.over ? 1 : 0;
  known.never_handed = known.never_handed || report.never_handed;
  changed_.notify_all();
}

run_spec harness::spec(std::vector<std::string> argv) {
  run_spec made;
  made.batch = batch_id{++last_batch_};
  made.type = "test";
  made.device = "cpu";
  made.argv = std::move(argv);
  const auto run = directory(made.batch);
  made.directory = run / "jobs" / to_string(made.batch);
  made.jobs = {{job_id{made.batch.value}, json::object(), made.directory}};
  made.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                      {"FERRY_RUN_DIR", run.string()},
                      {"FERRY_EVENTS", (run / "reported.jsonl").string()}};
  return made;
}

void harness::launch(const run_spec& spec) {
  const auto launched = control_->launch(spec);
  if (!launched)
    throw std::runtime_error(to_string(launched.error()));
}

batch_id harness::launch_shell(const std::string& script, std::chrono::milliseconds grace) {
  run_spec made = spec({"/bin/sh", "-c", script});
  made.grace = grace;
  launch(made);
  return made.batch;
}

history harness::wait(batch_id batch, const std::function<bool(const history&)>& enough) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, patience, [&] { return enough(histories_[batch]); }))
    return histories_[batch];
  std::string seen;
  for (const run_event& event : histories_[batch].events)
    seen += "\n  " + to_json(event).dump();
  throw std::runtime_error("batch " + to_string(batch) + ": waited in vain; reported were" + seen);
}

history harness::wait_over(batch_id batch) {
  return wait(batch, [](const history& h) { return h.reports_over > 0; });
}

void harness::wait_worker_gone(worker_id worker) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, patience, [&] { return gone_.contains(worker); }))
    throw std::runtime_error("worker " + to_string(worker) + ": waited in vain for its end");
}

run_exited harness::wait_exit(batch_id batch) {
  const auto ends = wait_over(batch).all<run_exited>();
  if (ends.size() != 1)
    throw std::runtime_error("batch " + to_string(batch) + " has " + std::to_string(ends.size()) + " exit records");
  return ends.front();
}

void harness::wait_message(batch_id batch, const std::string& message) {
  wait(batch, [&](const history& h) {
    for (const auto& event : h.all<run_progressed>())
      if (event.value.message == message)
        return true;
    return false;
  });
}

std::string harness::output(batch_id batch) const { return read_text(directory(batch) / "output.log"); }

process_entry harness::process_from(batch_id batch, const std::string& file) const {
  const auto found = find_process(std::stoi(read_text(directory(batch) / file)));
  if (!found)
    throw std::runtime_error(file + " names a process that is gone");
  return *found;
}

int harness::shim_of(batch_id batch) const { return json::parse(read_text(directory(batch) / "shim.json")).at("pid").get<int>(); }

bool is_alive(const process_entry& process) {
  const auto now = find_process(process.pid);
  return now && now->start_ticks == process.start_ticks && now->is_live();
}

void wait_gone(const process_entry& process) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0));
  if (pidfd < 0)
    return;
  pollfd ended{pidfd, POLLIN, 0};
  if (is_alive(process) && ::poll(&ended, 1, 60'000) != 1)
    throw std::runtime_error("process " + std::to_string(process.pid) + " does not end");
  ::close(pidfd);
}

bool all_children_end_well() {
  bool well = true;
  for (int status = 0; ::waitpid(-1, &status, 0) > 0;)
    well &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return well;
}

std::string read_text(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::string say(const std::string& message) {
  return R"(echo '{"type":"progress","message":")" + message + R"("}' >> "$FERRY_EVENTS"; )";
}

} // namespace ferry::runners::test
