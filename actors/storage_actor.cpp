#include "actors/storage_actor.hpp"

#include <functional>
#include <spdlog/spdlog.h>

namespace ferry::actors {
namespace {

using namespace std::chrono_literals;

// How long facts that nobody waits for stay for others to ride with.
constexpr auto ride_along = 3ms;
// How long to wait before records that the disk refused are tried again.
constexpr auto retry_delay = 1s;

struct storage_state {
  using handle = storage_actor;
  using done_promise = caf::typed_response_promise<done>;

  storage_state(handle::pointer self, std::shared_ptr<storage::job_store> store) : self_(self), store_(std::move(store)) {}

  handle::behavior_type make_behavior() {
    return {
        [this](append_facts& what) { return append(what); },
        [this](record_facts& what) { return record(std::move(what.facts)); },
        [this](begin_batch& what) { return begin(what); },
        [this](close_store) { return close(); },
        [this](flush_due) { flush(); },
        [this](retry_due) { try_refused(); },
    };
  }

private:
  // Somebody who is answered once the open group is on disk, or could not be stored.
  struct waiter {
    std::function<void()> stored;
    std::function<void(const error&)> refused;
  };
  struct refused_record {
    std::vector<fact> facts;
    done_promise promise;
  };

  caf::result<result<storage::append_outcome>> append(append_facts& what) {
    auto promise = self_->make_response_promise<result<storage::append_outcome>>();
    if (!refused_.empty()) {
      promise.deliver(result<storage::append_outcome>(fail(last_refusal_)));
      return promise;
    }
    auto outcome = store_->apply(what.facts, what.from);
    if (!outcome) {
      promise.deliver(std::move(outcome));
      return promise;
    }
    waiters_.push_back(
        {[promise, outcome = *outcome]() mutable { promise.deliver(result<storage::append_outcome>(std::move(outcome))); },
         [promise](const error& why) mutable { promise.deliver(result<storage::append_outcome>(fail(why))); }});
    flush_soon();
    return promise;
  }

  caf::result<result<job_starts>> begin(begin_batch& what) {
    using starts = result<job_starts>;
    auto promise = self_->make_response_promise<starts>();
    if (!refused_.empty()) {
      promise.deliver(starts(fail(last_refusal_)));
      return promise;
    }
    const auto jobs = what.what.jobs;
    if (auto outcome = store_->apply({std::move(what.what)}); !outcome) {
      promise.deliver(starts(fail(std::move(outcome.error()))));
      return promise;
    }
    waiters_.push_back({[promise, values = store_->read_starts(jobs)]() mutable { promise.deliver(std::move(values)); },
                        [promise](const error& why) mutable { promise.deliver(starts(fail(why))); }});
    flush_soon();
    return promise;
  }

  caf::result<done> record(std::vector<fact> facts) {
    auto promise = self_->make_response_promise<done>();
    if (!refused_.empty()) { // in order: behind those that wait already
      refused_.push_back({std::move(facts), promise});
      return promise;
    }
    apply_record(std::move(facts), promise);
    return promise;
  }

  void apply_record(std::vector<fact> facts, done_promise promise) {
    auto outcome = store_->apply(facts);
    if (!outcome) {
      refuse(std::move(facts), promise, outcome.error());
      return;
    }
    waiters_.push_back(
        {[promise]() mutable { promise.deliver(done{}); },
         [this, promise, facts = std::move(facts)](const error& why) mutable { refuse(std::move(facts), promise, why); }});
    if (!flush_scheduled_ && !ride_scheduled_) {
      ride_scheduled_ = true;
      send_later(self_, ride_along, flush_due{});
    }
  }

  // A disk that is full gets room again; anything else would refuse the same facts for ever, so it is told and dropped.
  void refuse(std::vector<fact> facts, done_promise promise, const error& why) {
    if (why.code != error_code::disk_full && why.code != error_code::io) {
      spdlog::error("storage refused a record: {}", to_string(why));
      promise.deliver(done{});
      return;
    }
    if (refused_.empty()) {
      spdlog::error("storage: {}; no new jobs are taken until there is room", to_string(why));
      send_later(self_, retry_delay, retry_due{});
    }
    last_refusal_ = why;
    refused_.push_back({std::move(facts), promise});
  }

  void try_refused() {
    auto again = std::exchange(refused_, {});
    for (auto& r : again) {
      if (refused_.empty())
        apply_record(std::move(r.facts), r.promise);
      else
        refused_.push_back(std::move(r));
    }
    flush();
    if (refused_.empty())
      spdlog::info("storage: there is room again");
  }

  void flush_soon() {
    if (flush_scheduled_)
      return;
    flush_scheduled_ = true;
    send(self_, caf::actor_cast<handle>(self_), flush_due{});
  }

  void flush() {
    flush_scheduled_ = ride_scheduled_ = false;
    if (waiters_.empty())
      return;
    const auto committed = store_->commit();
    const auto group = std::exchange(waiters_, {});
    for (const waiter& w : group) {
      if (committed)
        w.stored();
      else
        w.refused(committed.error());
    }
  }

  caf::result<done> close() {
    flush();
    self_->quit();
    return done{};
  }

  handle::pointer self_;
  std::shared_ptr<storage::job_store> store_;
  std::vector<waiter> waiters_;
  bool flush_scheduled_ = false;
  bool ride_scheduled_ = false;
  std::vector<refused_record> refused_;
  error last_refusal_;
};

struct history_state {
  using handle = history_actor;

  history_state(handle::pointer, std::shared_ptr<storage::job_reader> reader) : reader_(std::move(reader)) {}

  handle::behavior_type make_behavior() {
    return {
        [this](const find_jobs& what) { return reader_->find_all(what.ids, what.brief); },
        [this](const list_jobs& what) { return reader_->page(what.filter); },
        [this](const read_history& what) { return reader_->history(what.id); },
        [this](const find_clearable& what) { return reader_->clearable(what.which, what.limit); },
        [this](const count_jobs& what) { return reader_->counts(what.query); },
        [this](const count_failures& what) { return reader_->failures(what.limit); },
        [this](find_running) { return reader_->running_batches(); },
    };
  }

private:
  std::shared_ptr<storage::job_reader> reader_;
};

} // namespace

storage_actor spawn_storage(caf::actor_system& system, std::shared_ptr<storage::job_store> store) {
  return spawn<storage_state, caf::detached>(system, std::move(store));
}

history_actor spawn_history(caf::actor_system& system, std::shared_ptr<storage::job_reader> reader) {
  return spawn<history_state, caf::detached>(system, std::move(reader));
}

} // namespace ferry::actors
