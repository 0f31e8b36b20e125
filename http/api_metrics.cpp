// The numbers that a job reports of itself, and the logs of its attempts.
#include "config/limits.hpp"
#include "http/api.hpp"
#include "http/metric_series.hpp"
#include "runners/run_directory.hpp"

#include <boost/asio/post.hpp>

namespace ferry::http {

using actors::actor_handles;

namespace {

constexpr std::int64_t points_usual = 1'000;

// Piece by piece, and others have their turn between two.
template <class Function>
boost::asio::awaitable<bool> read_lines(std::filesystem::path folder, const char* name, Function on_line) {
  const auto executor = co_await boost::asio::this_coro::executor;
  piecewise_lines lines(folder, name);
  while (lines.has_more()) {
    lines.read(on_line);
    co_await boost::asio::post(executor, boost::asio::use_awaitable);
  }
  co_return lines.is_whole();
}

} // namespace

boost::asio::awaitable<result<batch_id>> api::run_of_attempt(job_id id, std::int64_t attempt) {
  const auto history = co_await ask<result<actors::history_entries>>(&actor_handles::history, actors::read_history{id});
  if (!history)
    co_return fail(history.error());
  batch_id run;
  for (const auto& entry : *history)
    if (entry.what == "batch_started" && entry.detail.value("attempt", std::int64_t{0}) == attempt)
      run = batch_id{entry.detail.value("batch", std::int64_t{0})}; // the latest, for one attempt may take several runs
  if (run.is_none())
    co_return fail(error_code::not_found, "job " + to_string(id) + " has had no attempt " + std::to_string(attempt),
                   "`GET /jobs/{id}/history` lists its attempts");
  co_return run;
}

api::reply api::read_metrics(const request& r) {
  if (auto known = check_query(r, {"points"}); !known)
    co_return fail(known.error());
  const auto id = job_id_from(r.path[1]);
  const auto points = query_number(r, "points", points_usual, 1, limits::metric_points_max);
  if (!id || !points)
    co_return fail(id ? points.error() : id.error());
  const auto view = co_await view_of(*id);
  if (!view)
    co_return fail(view.error());
  metric_series series(*id, static_cast<std::size_t>(*points));
  if (view->record.batch.is_none())
    co_return json_response(200, series.to_json(true));
  const auto folder = parts_.settings->storage.data_dir / "runs" / to_string(view->record.batch);
  auto take_event = [&series](std::string_view line) { series.take_event(line); };
  auto take_report = [&series](std::string_view line) { series.take_report(line); };
  const bool has_events = co_await read_lines(folder, runners::run_file::events, take_event);
  const bool has_reports = co_await read_lines(folder, runners::run_file::reported, take_report);
  co_return json_response(200, series.to_json(has_events && has_reports));
}

} // namespace ferry::http
