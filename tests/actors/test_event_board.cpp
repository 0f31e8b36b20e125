// What readers of the event board see, however slowly they read.
#include "actors/event_board.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using ferry::actors::event_board;

namespace {

void change(event_board& board, std::int64_t id, job_state state = job_state::queued) {
  board.job_changed({.id = {id}, .state = state});
}

} // namespace

TEST_CASE("a reader gets each change once, in order, with consecutive numbers") {
  event_board board;
  change(board, 1);
  const auto cursor = board.now().jobs;
  change(board, 2);
  change(board, 1, job_state::running);
  const auto news = board.since(cursor, {});
  REQUIRE(news.jobs.size() == 2);
  CHECK(news.jobs[0].id == job_id{2});
  CHECK(news.jobs[1].state == job_state::running);
  CHECK(news.jobs[1].number == news.jobs[0].number + 1);
  CHECK(news.last == news.jobs[1].number);
  CHECK(board.since(news.last, {}).jobs.empty());
  CHECK(board.since(cursor, job_id{1}).jobs.size() == 1);
}

TEST_CASE("a reader that falls behind is told, and goes on from there") {
  event_board board;
  change(board, 1);
  const auto cursor = board.now().jobs;
  for (std::size_t n = 0; n < limits::events_at_once_max; ++n)
    change(board, 2);
  CHECK(board.since(cursor, {}).jobs.size() == limits::events_at_once_max);
  change(board, 3);
  const auto lost = board.since(cursor, {});
  REQUIRE(lost.why_lost);
  CHECK(lost.jobs.empty());
  CHECK_FALSE(board.since(lost.last, {}).why_lost);
  // Who follows one job gets it from all that is kept.
  CHECK(board.since(cursor, job_id{3}).jobs.size() == 1);
  for (std::size_t n = 0; n < 2 * limits::events_kept; ++n)
    change(board, 4);
  CHECK(board.since(cursor, job_id{3}).why_lost);
  const auto all_kept = board.since(board.now().jobs - limits::events_kept, job_id{4});
  CHECK_FALSE(all_kept.why_lost);
  CHECK(all_kept.jobs.size() == limits::events_kept);
  CHECK(board.since(board.now().jobs - limits::events_kept - 1, job_id{4}).why_lost);
}

TEST_CASE("cursors from before a restart, and from another daemon, are told so") {
  event_board board;
  change(board, 1);
  const auto before = board.now().jobs;
  board.restarted("the daemon restarted a part of itself");
  CHECK(board.since(before, {}).why_lost == "the daemon restarted a part of itself");
  const auto after = board.since(before, {}).last;
  CHECK_FALSE(board.since(after, {}).why_lost);
  change(board, 2);
  CHECK(board.since(after, {}).jobs.size() == 1);
  CHECK(board.since(after + 10, {}).why_lost);
}

TEST_CASE("of progress only the newest of each running job is kept, and only while somebody follows") {
  event_board board;
  board.job_progressed({1}, {.fraction = 0.1});
  CHECK(board.progress_since(0, {}).empty());
  board.follower_came();
  board.job_progressed({1}, {.fraction = 0.2});
  board.job_progressed({2}, {.fraction = 0.3});
  board.job_progressed({1}, {.fraction = 0.4});
  const auto found = board.progress_since(0, {});
  REQUIRE(found.size() == 2);
  CHECK(found[0].id == job_id{2});
  CHECK(found[1].how_far.fraction == 0.4);
  CHECK(board.progress_since(found[0].number, {}).size() == 1);
  CHECK(board.progress_since(0, job_id{2}).size() == 1);
  change(board, 1, job_state::completed);
  CHECK(board.progress_since(0, {}).size() == 1);
  board.follower_left();
  CHECK(board.progress_since(0, {}).empty());
}

TEST_CASE("a reader is woken once, by the first change after it asked") {
  event_board board;
  int woken = 0;
  const auto waker = board.on_change([&] { ++woken; });
  change(board, 1);
  CHECK(woken == 0);
  board.wake_me();
  change(board, 1);
  change(board, 1);
  board.queue_changed();
  CHECK(woken == 1);
  board.wake_me();
  board.queue_changed();
  CHECK(woken == 2);
  board.forget_waker(waker);
  board.wake_me();
  change(board, 1);
  CHECK(woken == 2);
}
