// Runs real processes under the real shim in a directory of their own, and waits for what is reported about them.
#pragma once

#include "runners/process_table.hpp"
#include "runners/run_control.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ferry::runners::test {

// A directory that goes when it goes.
class scratch {
public:
  scratch();
  ~scratch();
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

// What has been reported about one run so far.
struct history {
  std::vector<run_event> events;
  int reports_over = 0;
  bool never_handed = false;

  template <class Event>
  [[nodiscard]] std::vector<Event> all() const {
    std::vector<Event> found;
    for (const run_event& event : events)
      if (const auto* one = std::get_if<Event>(&event))
        found.push_back(*one);
    return found;
  }
};

class harness {
public:
  explicit harness(int shims_ready = 1);
  harness(std::filesystem::path runs, int shims_ready);
  ~harness();

  run_control& control() { return *control_; }
  // The daemon goes and comes back: what was reported so far is forgotten.
  void restart();
  void shut_down();

  // A batch of one job that runs `argv`; not launched. PATH and FERRY_… are in its environment.
  [[nodiscard]] run_spec spec(std::vector<std::string> argv);
  // Launches `script` under /bin/sh.
  batch_id launch_shell(const std::string& script, std::chrono::milliseconds grace = std::chrono::seconds(30));
  void launch(const run_spec& spec);

  // Waits for reports until `enough`; throws when a minute has passed.
  history wait(batch_id batch, const std::function<bool(const history&)>& enough);
  history wait_over(batch_id batch);
  run_exited wait_exit(batch_id batch);
  void wait_worker_gone(worker_id worker);                       // until that is reported
  void wait_message(batch_id batch, const std::string& message); // a progress event with this message

  [[nodiscard]] std::filesystem::path directory(batch_id batch) const { return runs_ / to_string(batch); }
  [[nodiscard]] std::string output(batch_id batch) const;
  // A process whose pid the job wrote into this file of its run directory.
  [[nodiscard]] process_entry process_from(batch_id batch, const std::string& file) const;
  [[nodiscard]] int shim_of(batch_id batch) const;

private:
  void start();
  void record(run_control::report report);

  std::optional<scratch> scratch_;
  std::filesystem::path runs_;
  int shims_ready_;
  std::int64_t last_batch_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<batch_id, history> histories_;
  std::set<worker_id> gone_;
  std::unique_ptr<run_control> control_;
};

// Whether exactly this process still lives (a zombie does not).
[[nodiscard]] bool is_alive(const process_entry& process);
// Waits until it does not; throws when a minute has passed.
void wait_gone(const process_entry& process);
// Waits until this process has no child left; whether all of them ended with status 0.
[[nodiscard]] bool all_children_end_well();
[[nodiscard]] std::string read_text(const std::filesystem::path& file);

// Shell text that reports `message` as progress.
[[nodiscard]] std::string say(const std::string& message);

} // namespace ferry::runners::test
