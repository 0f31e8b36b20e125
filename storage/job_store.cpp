#include "storage/job_store.hpp"
#include "storage/history.hpp"

#include "storage/connection.hpp"
#include "storage/data_directory.hpp"
#include "storage/fact_writer.hpp"
#include "storage/restore.hpp"
#include "storage/statements.hpp"
#include "storage/submissions.hpp"

#include <sqlite3.h>
#include <utility>

namespace ferry::storage {
namespace {

// Old idempotency keys that one start forgets; the rest go a few with each submit.
constexpr std::size_t submissions_pruned_at_open_max = 10'000;

constexpr const char* begin_sql = "BEGIN IMMEDIATE";
constexpr const char* commit_sql = "COMMIT";
constexpr const char* rollback_sql = "ROLLBACK";
constexpr const char* savepoint_sql = "SAVEPOINT facts";
constexpr const char* release_sql = "RELEASE facts";
constexpr const char* rollback_to_sql = "ROLLBACK TO facts";
constexpr const char* select_params = "SELECT job_params.params, jobs.attempts, jobs.resumed_from FROM job_params JOIN jobs ON "
                                      "jobs.id = job_params.job WHERE job_params.job = ?";

struct submitted {
  std::vector<job_id> jobs;
  instant at{};
};

submitted submitted_by(const std::vector<fact>& facts) {
  submitted found;
  for (const fact& f : facts)
    if (const auto* queued = std::get_if<job_queued>(&f)) {
      found.jobs.push_back(queued->id);
      found.at = queued->at;
    }
  return found;
}

} // namespace

struct job_store::implementation {
  data_directory owned; // first in, last out: the lock is held for as long as the connection is open
  std::filesystem::path file;
  std::unique_ptr<SQLite::Database> database;
  statement_cache statements{*database};
  fact_writer writer{statements};
  // Why the transaction is gone, when SQLite undid all of it by itself: reported until commit() has told its owner.
  std::optional<error> lost = {};

  [[nodiscard]] sqlite3* handle() const { return database->getHandle(); }
  [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(handle()) == 0; }

  result<append_outcome> store(const std::vector<fact>& facts, const submission& from) {
    if (!from.key.empty()) {
      auto earlier = find_submission(statements, from);
      if (!earlier)
        return fail(earlier.error());
      if (!earlier->empty())
        return append_outcome{std::move(*earlier)};
    }
    for (const fact& f : facts)
      if (auto written = writer.write(f); !written)
        return fail(written.error());
    if (!from.key.empty())
      if (const auto made = from.answered.empty() ? submitted_by(facts) : submitted{from.answered, from.at}; !made.jobs.empty())
        store_submission(statements, from, made.jobs, made.at);
    return append_outcome{};
  }

  // Undoes one apply(). What cannot be undone alone takes the whole transaction with it.
  void undo(bool began, const queue_totals& earlier, const error& why) {
    if (in_transaction()) {
      try {
        if (began) {
          statements.run(rollback_sql);
        } else {
          statements.run(rollback_to_sql);
          statements.run(release_sql);
        }
        writer.undo_to(earlier);
        return;
      } catch (const SQLite::Exception&) { roll_back(); }
    }
    writer.undo_to(writer.committed_totals());
    if (!began)
      lost = why;
  }

  // SQLite gives up the whole transaction also where no more than a read failed in it.
  template <class Read>
  auto read(const char* doing, Read&& work) -> decltype(work()) {
    const bool was_in_transaction = in_transaction();
    auto found = guarded(handle(), file, doing, work);
    if (!found && was_in_transaction && !in_transaction()) {
      writer.undo_to(writer.committed_totals());
      lost = found.error();
    }
    return found;
  }

  // A failed ROLLBACK has ended the transaction too: SQLite documents it as harmless.
  void roll_back() {
    if (in_transaction())
      sqlite3_exec(handle(), rollback_sql, nullptr, nullptr, nullptr);
  }
};

job_store::job_store(std::unique_ptr<implementation> impl) : impl_(std::move(impl)) {}

job_store::~job_store() { impl_->roll_back(); }

result<std::unique_ptr<job_store>> job_store::open(const std::filesystem::path& data_dir, config::durability durability,
                                                   bool full_check) {
  auto owned = data_directory::own(data_dir);
  if (!owned)
    return fail(owned.error());
  const auto file = database_file(data_dir);
  auto database = open_writer(file, durability, full_check);
  if (!database)
    return fail(database.error());
  sqlite3* const handle = (*database)->getHandle();
  return guarded(handle, file, "read the job store", [&]() -> result<std::unique_ptr<job_store>> {
    std::unique_ptr<implementation> impl{new implementation{std::move(*owned), file, std::move(*database)}};
    prune_submissions(impl->statements, wall_clock_now(), submissions_pruned_at_open_max);
    return std::unique_ptr<job_store>{new job_store(std::move(impl))};
  });
}

result<restored> job_store::restore(const std::function<void(const live_job&)>& visit) {
  return impl_->read("restore the queue",
                     [&]() -> result<restored> { return restore_queue(impl_->statements, impl_->writer.totals(), visit); });
}

result<append_outcome> job_store::apply(const std::vector<fact>& facts, const submission& from) {
  if (impl_->lost)
    return fail(*impl_->lost);
  const bool began = !impl_->in_transaction();
  const auto earlier = impl_->writer.totals();
  auto outcome = guarded(impl_->handle(), impl_->file, "store facts", [&]() -> result<append_outcome> {
    impl_->statements.run(began ? begin_sql : savepoint_sql);
    auto stored = impl_->store(facts, from);
    if (stored && !began)
      impl_->statements.run(release_sql);
    return stored;
  });
  if (!outcome)
    impl_->undo(began, earlier, outcome.error());
  return outcome;
}

result<void> job_store::commit() {
  if (impl_->lost)
    return fail(*std::exchange(impl_->lost, std::nullopt));
  if (!impl_->in_transaction())
    return {};
  auto done = guarded(impl_->handle(), impl_->file, "commit", [&]() -> result<void> {
    impl_->writer.write_totals();
    impl_->statements.run(commit_sql);
    return {};
  });
  if (done) {
    impl_->writer.committed();
  } else {
    impl_->roll_back();
    impl_->writer.undo_to(impl_->writer.committed_totals());
  }
  return done;
}

bool job_store::in_transaction() const { return impl_->in_transaction() || impl_->lost; }

result<std::vector<job_start>> job_store::read_starts(const std::vector<job_id>& jobs) {
  return impl_->read("read parameters", [&]() -> result<std::vector<job_start>> {
    std::vector<job_start> starts;
    starts.reserve(jobs.size());
    for (const job_id id : jobs) {
      bool first = true;
      {
        auto row = impl_->statements.query(select_params, id);
        if (!row.next())
          return fail(error_code::not_found, "there is no job " + to_string(id));
        starts.push_back({.params = row.text(0)});
        first = row.integer(1) <= 1 && row.is_null(2);
      }
      if (!first)
        starts.back().checkpoints = read_checkpoints(impl_->statements, id);
    }
    return starts;
  });
}

result<std::vector<std::string>> job_store::read_params(const std::vector<job_id>& jobs) {
  return impl_->read("read parameters", [&]() -> result<std::vector<std::string>> {
    std::vector<std::string> texts;
    texts.reserve(jobs.size());
    for (const job_id id : jobs) {
      auto row = impl_->statements.query(select_params, id);
      if (!row.next())
        return fail(error_code::not_found, "there is no job " + to_string(id));
      texts.push_back(row.text(0));
    }
    return texts;
  });
}

} // namespace ferry::storage
