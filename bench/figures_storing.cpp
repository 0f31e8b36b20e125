#include "actors/storage_actor.hpp"
#include "actors/supervisor.hpp"
#include "bench/figures.hpp"

#include <atomic>
#include <caf/scoped_actor.hpp>
#include <functional>
#include <stdexcept>
#include <thread>

namespace ferry::bench {
namespace {

using namespace std::chrono_literals;

class fact_source {
public:
  job_queued next() {
    return {.id = {++last_}, .type = "command", .params = R"({"argv":["true"]})", .name = {}, .order_key = last_ << 20, .at = now_};
  }

private:
  std::int64_t last_ = 0;
  instant now_ = from_unix_ms(1'700'000'000'000);
};

std::unique_ptr<storage::job_store> open_store(const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder);
  auto store = storage::job_store::open(folder, config::durability::full, false);
  if (!store)
    throw std::runtime_error(to_string(store.error()));
  return std::move(*store);
}

double store_rate(const bench_run& run, std::size_t group) {
  const auto folder = run.folder / "store";
  const auto store = open_store(folder);
  fact_source facts;
  double stored = 0;
  const auto start = clock::now();
  while (seconds_since(start) < run.seconds) {
    for (std::size_t i = 0; i < group; ++i, ++stored)
      if (auto applied = store->apply({facts.next()}); !applied)
        throw std::runtime_error(to_string(applied.error()));
    if (auto committed = store->commit(); !committed)
      throw std::runtime_error(to_string(committed.error()));
  }
  return stored / seconds_since(start);
}

// Keeps `outstanding` facts on their way until told to stop.
struct fact_pump {
  caf::event_based_actor* self;
  actors::storage_actor storage;
  std::shared_ptr<std::atomic<std::int64_t>> stored;
  std::shared_ptr<std::atomic<bool>> stopping;
  fact_source facts = {};

  void send_one() {
    actors::request(self, storage, caf::infinite, actors::append_facts{{facts.next()}})
        .then(
            [this](result<storage::append_outcome>& outcome) {
              if (!outcome)
                throw std::runtime_error(to_string(outcome.error()));
              ++*stored;
              if (!*stopping)
                send_one();
            },
            [](const caf::error&) {});
  }
};

double actor_rate(const bench_run& run, caf::actor_system& system, std::size_t outstanding) {
  const auto storage = actors::spawn_storage(system, std::shared_ptr<storage::job_store>(open_store(run.folder / "store")));
  const auto stored = std::make_shared<std::atomic<std::int64_t>>(0);
  const auto stopping = std::make_shared<std::atomic<bool>>(false);
  const auto start = clock::now();
  system.spawn([=](caf::event_based_actor* self) {
    const auto pump = std::make_shared<fact_pump>(fact_pump{self, storage, stored, stopping});
    self->attach_functor([pump](const caf::error&) {}); // lives as long as the actor
    for (std::size_t i = 0; i < outstanding; ++i)
      pump->send_one();
  });
  std::this_thread::sleep_for(std::chrono::duration<double>(run.seconds));
  const double rate = static_cast<double>(*stored) / seconds_since(start);
  *stopping = true;
  {
    caf::scoped_actor closing(system); // counts as running while it lives
    closing->request(storage, caf::infinite, actors::close_store{}).receive([](actors::done) {}, [](const caf::error&) {});
  }
  system.await_all_actors_done();
  return rate;
}

} // namespace

void storing(bench_run& run) {
  actors::register_messages();
  caf::actor_system_config config; // as ferryd has it
  config.set("caf.scheduler.policy", "sharing");
  config.set("caf.scheduler.max-threads", 2);
  caf::actor_system system(config);
  for (const std::size_t group : {1U, 10U, 100U}) {
    double rows = 0;
    const auto [store, actor] = beside(
        rows, [&] { return measure_rows(run.folder, group, run.seconds / 2); },
        [&] {
          return std::pair{store_rate(run, group), actor_rate(run, system, group)};
        });
    run.out.figure("storage, groups of " + std::to_string(group),
                   "actor " + number(actor) + " facts/s = " + number(actor / rows) + " × SQLite; job store alone " + number(store) +
                       "/s = " + number(store / rows) + " ×",
                   "SQLite, one row a fact: " + number(rows) + " rows/s beside it");
  }
  std::filesystem::remove_all(run.folder / "store");
}

} // namespace ferry::bench
