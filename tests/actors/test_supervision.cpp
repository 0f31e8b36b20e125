// The actors together, in this process: a crash of any of them costs nothing.
#include "actors/supervisor.hpp"

#include <atomic>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

using namespace ferry;
using namespace ferry::actors;

namespace {

template <class Condition>
void eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// A supervisor over real storage and real shims.
class node {
public:
  // `prepare` is given the data directory before anything starts.
  explicit node(const std::function<void(const std::filesystem::path&)>& prepare = {}) {
    std::string pattern = (std::filesystem::temp_directory_path() / "ferry-actors-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    directory = pattern;
    auto settings = config::defaults();
    settings.storage.data_dir = directory / "data";
    if (prepare)
      prepare(directory / "data");
    auto started = supervisor::start(
        system,
        {std::make_shared<const config::settings>(settings), {{.id = "cpu", .slots = 2, .memory_mib = 100}}, FERRY_SHIM_PATH},
        [this] { gave_up = true; });
    REQUIRE(started);
    actors = std::move(*started);
  }
  ~node() {
    actors.reset();
    std::filesystem::remove_all(directory);
  }

  std::shared_ptr<const actor_handles> handles() {
    std::shared_ptr<const actor_handles> found;
    eventually([&] { return (found = actors->handles()) != nullptr; });
    return found;
  }

  template <class Answer, class Message>
  std::optional<Answer> ask_queue(Message message) {
    caf::scoped_actor self(system);
    std::optional<Answer> got;
    self->request(handles()->queue, std::chrono::seconds(60), message)
        .receive([&](Answer& answer) { got = std::move(answer); }, [](const caf::error&) {});
    return got;
  }

  job_id submit(const std::string& script) {
    const auto answer =
        ask_queue<result<jobs_submitted>>(submit_jobs{{{.type = "command", .params = {{"argv", {"sh", "-c", script}}}}}, {}});
    REQUIRE(answer.has_value());
    REQUIRE(answer->has_value());
    return (*answer)->jobs.at(0).id;
  }

  job_state state_of(job_id id) {
    for (;;) // a request that meets a restart is simply made again, as a client would
      if (const auto view = ask_queue<result<job_view>>(read_job{id}); view && view->has_value())
        return (*view)->record.state;
  }

  void crash(const caf::actor& one) {
    const int before = actors->restarts();
    caf::anon_send_exit(one, caf::exit_reason::kill);
    eventually([&] { return actors->restarts() > before && actors->handles() != nullptr; });
  }

  caf::actor_system_config config;
  caf::actor_system system{config};
  std::filesystem::path directory;
  std::atomic<bool> gave_up = false;
  std::unique_ptr<supervisor> actors;
};

} // namespace

TEST_CASE("whichever actor crashes, all start again from what is stored and running jobs go on") {
  node n;
  const auto go = (n.directory / "go").string();
  const auto running = n.submit("while ! test -e " + go + "; do sleep 0.02; done");
  eventually([&] { return n.state_of(running) == job_state::running; });
  int round = 0;
  for (const auto pick : {+[](const actor_handles& h) { return caf::actor_cast<caf::actor>(h.queue); },
                          +[](const actor_handles& h) { return caf::actor_cast<caf::actor>(h.storage); },
                          +[](const actor_handles& h) { return caf::actor_cast<caf::actor>(h.executors.at("cpu")); },
                          +[](const actor_handles& h) { return caf::actor_cast<caf::actor>(h.optimizer); }}) {
    CAPTURE(++round);
    n.crash(pick(*n.handles()));
    CHECK(n.state_of(running) == job_state::running);
    const auto next = n.submit("true");
    eventually([&] { return n.state_of(next) == job_state::completed; });
  }
  std::ofstream(go) << "";
  eventually([&] { return n.state_of(running) == job_state::completed; });
  CHECK(n.actors->restarts() == 4);
  CHECK_FALSE(n.gave_up.load());
}

TEST_CASE("who has handles is told of devices and counts at once, also right after a restart") {
  node n;
  for (int round = 0; round < 3; ++round) {
    const auto seen = n.handles()->board->read();
    REQUIRE(seen.devices);
    CHECK(seen.devices->accounts().size() == 1);
    CHECK(seen.counts.completed == round);
    const auto id = n.submit("true");
    eventually([&] { return n.state_of(id) == job_state::completed; });
    n.crash(caf::actor_cast<caf::actor>(n.handles()->optimizer));
  }
}

TEST_CASE("whoever follows along is told when the actors were started anew") {
  node n;
  const auto events = n.actors->events();
  const auto id = n.submit("true");
  eventually([&] { return n.state_of(id) == job_state::completed; });
  const auto cursor = events->now().jobs;
  CHECK(events->since(0, id).jobs.back().state == job_state::completed);
  n.crash(caf::actor_cast<caf::actor>(n.handles()->history));
  eventually([&] { return events->since(cursor, {}).why_lost.has_value(); });
  const auto next = n.submit("true");
  eventually([&] { return n.state_of(next) == job_state::completed; });
  CHECK(events->since(cursor, {}).why_lost == "the daemon restarted a part of itself");
  CHECK(events->since(events->now().jobs - 1, next).jobs.back().state == job_state::completed);
}

TEST_CASE("facts that arrive together are stored together, each answered") {
  node n;
  std::vector<std::thread> clients;
  std::atomic<int> accepted = 0;
  for (int c = 0; c < 8; ++c)
    clients.emplace_back([&] {
      for (int k = 0; k < 25; ++k)
        accepted += n.ask_queue<result<jobs_submitted>>(
                         submit_jobs{{{.type = "command", .params = {{"argv", {"true"}}}, .held = true}}, {}})
                        ->has_value();
    });
  for (auto& c : clients)
    c.join();
  CHECK(accepted == 200);
  CHECK(n.handles()->board->read().counts.held == 200);
}

TEST_CASE("actors that crash again and again make the daemon give up") {
  node n;
  for (int k = 0; k < 5; ++k)
    n.crash(caf::actor_cast<caf::actor>(n.handles()->watchdog));
  caf::anon_send_exit(caf::actor_cast<caf::actor>(n.handles()->watchdog), caf::exit_reason::kill);
  eventually([&] { return n.gave_up.load(); });
}

// The daemon died after the end of a needed job was on disk and before it followed that.
TEST_CASE("what follows from the end of a needed job is made up for at the next start") {
  const auto queued = [](std::int64_t id, std::vector<job_id> needs, needs_rule rule) {
    return job_queued{.id = {id},
                      .type = "command",
                      .params = R"({"argv":["true"]})",
                      .name = {},
                      .order_key = id,
                      .at = from_unix_ms(id),
                      .needs = std::move(needs),
                      .on_needs_failure = rule};
  };
  node n([&](const std::filesystem::path& data) {
    auto store = storage::job_store::open(data, config::durability::full, false);
    REQUIRE(store);
    REQUIRE((*store)->apply({queued(1, {}, {}), queued(2, {{1}}, needs_rule::cancel), queued(3, {{2}}, needs_rule::cancel),
                             queued(4, {{1}, {3}}, needs_rule::start), queued(5, {{1}}, needs_rule::hold),
                             queued(6, {{2}}, needs_rule::hold),
                             job_finished{.id = {1}, .batch = {}, .state = job_state::cancelled, .why_failed = {}, .result = {}}}));
    REQUIRE((*store)->commit());
  });
  eventually([&] { return n.state_of({4}) == job_state::completed; });
  CHECK(n.state_of({2}) == job_state::cancelled);
  CHECK(n.state_of({3}) == job_state::cancelled);
  const auto held = n.ask_queue<result<job_view>>(read_job{{6}});
  REQUIRE((held && *held));
  CHECK((*held)->record.held_for == "job 2, which it needs, was cancelled");
  CHECK(n.state_of({5}) == job_state::queued);
  const auto counts = n.handles()->board->read().counts;
  CHECK(counts.cancelled == 3);
  CHECK(counts.held == 2);
  n.crash(caf::actor_cast<caf::actor>(n.handles()->queue));
  CHECK(n.handles()->board->read().counts.cancelled == 3);
}
