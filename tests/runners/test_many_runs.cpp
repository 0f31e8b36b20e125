#include "run_harness.hpp"

#include <catch2/catch_all.hpp>
#include <set>

using namespace ferry;
using namespace ferry::runners;
using namespace ferry::runners::test;

TEST_CASE("500 runs in 8 slots each end once, in a directory of their own, under a few shims") {
  constexpr int count = 500, slots = 8;
  static_cast<void>(all_children_end_well()); // those of other tests
  scratch folder;
  std::mutex mutex;
  std::condition_variable changed;
  int in_flight = 0;
  std::map<batch_id, int> ends, overs;
  std::set<int> shims;
  {
    run_control control(folder.path() / "runs", FERRY_SHIM_PATH, 2, [&](const run_control::report& r) {
      const std::lock_guard lock(mutex);
      for (const run_event& event : r.events)
        if (const auto* end = std::get_if<run_exited>(&event); end != nullptr && end->exit_status == 0)
          ++ends[r.batch];
      if (!r.over)
        return;
      ++overs[r.batch];
      --in_flight;
      changed.notify_all();
    });
    for (int i = 1; i <= count; ++i) {
      run_spec spec;
      spec.batch = batch_id{i};
      spec.argv = {"/bin/true"};
      spec.directory = control.directory_of(spec.batch) / "jobs" / std::to_string(i);
      spec.jobs = {{job_id{i}, json::object(), spec.directory}};
      {
        std::unique_lock lock(mutex);
        REQUIRE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return in_flight < slots; }));
        ++in_flight;
      }
      REQUIRE(control.launch(spec).has_value());
    }
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return in_flight == 0; }));
    lock.unlock();
    for (int i = 1; i <= count; ++i)
      shims.insert(json::parse(read_text(control.directory_of(batch_id{i}) / "shim.json")).at("pid").get<int>());
  }
  CHECK(ends.size() == count);
  CHECK(overs.size() == count);
  for (const auto& [batch, times] : overs)
    CHECK(times == 1);
  CHECK(shims.size() <= slots + 4);
  CHECK(all_children_end_well());
}

TEST_CASE("the listener may launch and stop runs itself, from its own call") {
  scratch folder;
  std::mutex mutex;
  std::condition_variable changed;
  std::string last_reason;
  std::unique_ptr<run_control> control;
  const auto launch = [&](int number, std::vector<std::string> argv) {
    run_spec spec;
    spec.batch = batch_id{number};
    spec.argv = std::move(argv);
    spec.directory = "/";
    REQUIRE(control->launch(spec).has_value());
  };
  control = std::make_unique<run_control>(folder.path() / "runs", FERRY_SHIM_PATH, 1, [&](const run_control::report& r) {
    if (r.batch == batch_id{1} && r.over)
      launch(2, {"/bin/sleep", "1000"});
    for (const run_event& event : r.events) {
      if (r.batch == batch_id{2} && std::holds_alternative<run_started>(event))
        control->stop(r.batch, "by the listener", std::chrono::milliseconds(0));
      if (const auto* end = std::get_if<run_exited>(&event); end != nullptr && r.batch == batch_id{2}) {
        const std::lock_guard lock(mutex);
        last_reason = end->stopped_by;
        changed.notify_all();
      }
    }
  });
  launch(1, {"/bin/true"});
  std::unique_lock lock(mutex);
  REQUIRE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return !last_reason.empty(); }));
  CHECK(last_reason == "by the listener");
}
