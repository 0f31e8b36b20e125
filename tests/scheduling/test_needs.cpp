#include "config/limits.hpp"
#include "scheduling/needs.hpp"
#include "tests/support/seeds.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <random>

using namespace ferry;
using namespace ferry::scheduling;

namespace {

using id_list = std::vector<job_id>;

const auto now = from_unix_ms(1);

queued_job job(std::int64_t id) { return {.id = {id}, .order_key = id * order_key_step}; }

std::vector<needed_job> all_open(const std::vector<std::int64_t>& ids) {
  std::vector<needed_job> needs;
  for (const auto id : ids)
    needs.push_back({{id}});
  return needs;
}

// Jobs in a queue that need each other.
struct plan {
  job_queue jobs;
  need_book book;

  void add(std::int64_t id, const std::vector<std::int64_t>& needs = {}, needs_rule rule = needs_rule::hold) {
    book.add({id}, rule, all_open(needs));
    jobs.add(job(id));
    CHECK(settle_needs(jobs, book, {{id}}, now).empty());
  }
  // Ids of those cancelled by it.
  id_list end(std::int64_t id, job_state how) {
    jobs.remove({id});
    book.forget({id});
    id_list cancelled;
    for (const auto& one : settle_needs(jobs, book, book.ended({id}, how), now))
      cancelled.push_back(one.job.id);
    REQUIRE(book.check_invariants() == std::nullopt);
    return cancelled;
  }
  [[nodiscard]] bool may_start(std::int64_t id) const { return jobs.find({id})->may_start(); }
};

} // namespace

TEST_CASE("a job that needs others has no position until all of them have completed") {
  plan p;
  p.add(1);
  p.add(2);
  p.add(3, {1, 2});
  p.add(4);
  CHECK_FALSE(p.jobs.position({3}));
  CHECK(p.jobs.position({4}) == 3);
  CHECK(p.jobs.kept_back() == 1);
  CHECK(p.jobs.plan_move({3}, to_top{}).error().what == "job 3 is waiting for jobs that it needs and has no position");
  CHECK(p.end(1, job_state::completed).empty());
  CHECK_FALSE(p.may_start(3));
  CHECK(p.book.open_needs({3}) == id_list{{2}});
  CHECK(p.end(2, job_state::completed).empty());
  CHECK(p.jobs.position({3}) == 1); // where it was submitted
  CHECK(p.book.jobs().empty());
}

TEST_CASE("a job whose need failed waits as held, and goes on when that completes after all") {
  plan p;
  p.add(1);
  p.add(2, {1});
  p.end(1, job_state::failed);
  CHECK(p.book.verdict({2}) == needs_verdict::failed);
  CHECK(describe_culprit(*p.book.culprit({2})) == "job 1, which it needs, failed");
  CHECK_FALSE(p.may_start(2));
  p.jobs.add(job(1)); // retried
  CHECK(settle_needs(p.jobs, p.book, p.book.returned({1}), now).empty());
  CHECK(p.book.verdict({2}) == needs_verdict::open);
  CHECK_FALSE(p.book.culprit({2}));
  p.end(1, job_state::completed);
  CHECK(p.may_start(2));
}

TEST_CASE("a job that is cancelled with what it needs takes its own dependents along, each by its rule") {
  plan p;
  p.add(1);
  p.add(2, {1}, needs_rule::cancel);
  p.add(3, {2}, needs_rule::cancel);
  p.add(4, {2, 3}, needs_rule::hold);
  p.add(5, {3}, needs_rule::start);
  p.add(6, {3}, needs_rule::cancel);
  CHECK(p.end(1, job_state::failed) == id_list{{2}, {3}, {6}});
  CHECK(p.jobs.size() == 2);
  CHECK(p.book.verdict({4}) == needs_verdict::failed);
  CHECK(describe_culprit(*p.book.culprit({4})) == "job 2, which it needs, was cancelled");
  CHECK(p.may_start(5));
  const auto fact = cancelled_fact({job(2), {{1}, job_state::failed}}, from_unix_ms(7));
  CHECK(fact.state == job_state::cancelled);
  CHECK(fact.why_failed == failure{failure_kind::needs, "job 1, which it needs, failed"});
}

TEST_CASE("a job with the rule start waits for the end of all that it needs, however they end") {
  plan p;
  p.add(1);
  p.add(2);
  p.add(3, {1, 2}, needs_rule::start);
  p.end(1, job_state::cancelled);
  CHECK(p.book.verdict({3}) == needs_verdict::open);
  CHECK(p.book.open_needs({3}) == id_list{{2}});
  p.end(2, job_state::failed);
  CHECK(p.may_start(3));
}

TEST_CASE("needs that have ended already follow the rule at once") {
  need_book book;
  book.add({10}, needs_rule::hold, {{{1}, job_state::completed}});
  book.add({11}, needs_rule::hold, {{{1}, job_state::completed}, {{2}, job_state::failed}});
  book.add({12}, needs_rule::cancel, {{{2}, job_state::failed}, {{3}}});
  book.add({13}, needs_rule::start, {{{2}, job_state::failed}});
  CHECK(book.verdict({10}) == needs_verdict::met);
  CHECK(book.verdict({11}) == needs_verdict::failed);
  CHECK(book.verdict({12}) == needs_verdict::doomed);
  CHECK(book.verdict({13}) == needs_verdict::met);
  CHECK(book.jobs() == id_list{{11}, {12}, {13}});
}

TEST_CASE("a job is not blocked before it is in the queue, and is looked at when it comes") {
  job_queue jobs;
  need_book book;
  book.add({2}, needs_rule::cancel, all_open({1}));
  CHECK(settle_needs(jobs, book, book.ended({1}, job_state::failed), now).empty()); // its own fact is on its way to the disk
  jobs.add(job(2));
  REQUIRE(settle_needs(jobs, book, {{2}}, now).size() == 1);
  CHECK(jobs.size() == 0);
}

TEST_CASE("what a job waits for is said in a sentence") {
  const auto running = [](job_id) { return std::string("running"); };
  CHECK(describe_needs({}, running).empty());
  CHECK(describe_needs({{41}}, running) == "needs job 41, which is running");
  CHECK(describe_needs({{41}, {42}}, running) == "needs jobs 41 and 42");
  CHECK(describe_needs({{1}, {2}, {3}}, running) == "needs jobs 1, 2 and 3");
  CHECK(describe_needs({{1}, {2}, {3}, {4}, {5}, {6}, {7}}, running) == "needs jobs 1, 2, 3, 4, 5 and 2 more");
}

TEST_CASE("the jobs that requests need are looked up once, and lists that are refused anyway not at all") {
  const job_request a{.type = "x", .needs = {{3}, {1}, {3}}}, b{.type = "x", .needs = {{2}, {1}}},
      c{.type = "x", .needs = id_list(limits::needs_max + 1, job_id{9})};
  CHECK(needed_by({a, b, c}) == id_list{{1}, {2}, {3}});
}

namespace {

struct known_job {
  needs_rule rule = needs_rule::hold;
  std::vector<std::int64_t> needs;
  job_state state = job_state::queued;
};

// What holds of a queued job, from the states of the others alone: as a daemon that starts would find it.
needs_verdict derived(const std::map<std::int64_t, known_job>& all, const known_job& one) {
  const auto is_bad = [&](std::int64_t id) { return is_finished(all.at(id).state) && all.at(id).state != job_state::completed; };
  if (one.rule != needs_rule::start && std::any_of(one.needs.begin(), one.needs.end(), is_bad))
    return one.rule == needs_rule::hold ? needs_verdict::failed : needs_verdict::doomed;
  return std::all_of(one.needs.begin(), one.needs.end(), [&](auto id) { return is_finished(all.at(id).state); })
             ? needs_verdict::met
             : needs_verdict::open;
}

} // namespace

TEST_CASE("whatever ends and is retried, each job waits exactly as the states of those that it needs say") {
  for (const auto seed : tests::seeds(60)) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    plan p;
    std::map<std::int64_t, known_job> all;
    for (int step = 0; step < 300; ++step) {
      const auto what = below(10);
      if (what < 4 || all.empty()) {
        const auto id = static_cast<std::int64_t>(all.size()) + 1;
        known_job made{.rule = all_needs_rules.at(below(3))};
        std::vector<needed_job> needs;
        for (auto n = below(4); n > 0 && id > 1; --n)
          made.needs.push_back(1 + static_cast<std::int64_t>(below(static_cast<std::size_t>(id - 1))));
        std::sort(made.needs.begin(), made.needs.end());
        made.needs.erase(std::unique(made.needs.begin(), made.needs.end()), made.needs.end());
        for (const auto needed : made.needs)
          needs.push_back({{needed}, is_finished(all.at(needed).state) ? all.at(needed).state : job_state::queued});
        if (derived(all, made) == needs_verdict::doomed)
          continue;
        p.book.add({id}, made.rule, needs);
        p.jobs.add(job(id));
        REQUIRE(settle_needs(p.jobs, p.book, {{id}}, now).empty());
        all.emplace(id, made);
      } else if (const auto id = 1 + static_cast<std::int64_t>(below(all.size())); all.at(id).state == job_state::queued) {
        const bool starts = what < 8 && p.may_start(id); // and ends at once
        all.at(id).state = !starts ? job_state::cancelled : below(3) ? job_state::completed : job_state::failed;
        for (const job_id cancelled : p.end(id, all.at(id).state)) {
          REQUIRE(derived(all, all.at(cancelled.value)) == needs_verdict::doomed);
          all.at(cancelled.value).state = job_state::cancelled;
        }
      } else if (all.at(id).state != job_state::completed && derived(all, all.at(id)) != needs_verdict::doomed) {
        std::vector<needed_job> needs;
        for (const auto needed : all.at(id).needs)
          needs.push_back({{needed}, is_finished(all.at(needed).state) ? all.at(needed).state : job_state::queued});
        all.at(id).state = job_state::queued;
        p.book.add({id}, all.at(id).rule, needs);
        p.jobs.add(job(id));
        REQUIRE(settle_needs(p.jobs, p.book, {{id}}, now).empty());
        REQUIRE(settle_needs(p.jobs, p.book, p.book.returned({id}), now).empty());
      }
      REQUIRE(p.book.check_invariants() == std::nullopt);
      for (const auto& [id, one] : all) {
        REQUIRE((one.state == job_state::queued) == p.jobs.find({id}).has_value());
        if (one.state == job_state::queued) {
          REQUIRE(p.book.verdict({id}) == derived(all, one));
          REQUIRE(p.may_start(id) == (derived(all, one) == needs_verdict::met));
        }
      }
    }
  }
}
