// Following along.
#include "http/api.hpp"
#include "http/event_stream.hpp"

namespace ferry::http {

using actors::actor_handles;

api::reply api::follow_events(const request& r) {
  if (auto known = check_query(r, {"job", "log", "log_offset", "last_event_id"}); !known)
    co_return fail(known.error());
  const auto with_log = query_number(r, "log", 0, 0, 1);
  const auto offset = query_number(r, "log_offset", 0, INT64_MIN, INT64_MAX);
  if (!with_log || !offset)
    co_return fail(with_log ? offset.error() : with_log.error());
  event_request what;
  if (const auto job = r.query.find("job"); job != r.query.end()) {
    const auto id = job_id_from(job->second);
    if (!id)
      co_return fail(id.error());
    const auto view = co_await view_of(*id);
    if (!view)
      co_return fail(view.error());
    what.job = *id;
    what.is_running = view->record.state == job_state::running;
    if (*with_log == 1)
      what.log = log_place{view->record.batch, *offset};
  } else if (*with_log == 1) {
    co_return fail(error_code::invalid_argument, "log=1 goes with job: only one job's log can be followed");
  }
  // What a browser that comes back says in the header is newer than what stands in the address.
  const auto named = r.query.find("last_event_id");
  const std::string& last = !r.last_event_id.empty() || named == r.query.end() ? r.last_event_id : named->second;
  if (!last.empty())
    what.resume_from = event_id_from(last).value_or(event_id{});

  event_sources sources{.find_jobs = [this](std::vector<job_id> ids) { return records_of(std::move(ids)); },
                        .status = [this]() -> std::optional<actors::status_board::snapshot> {
                          const auto handles = parts_.handles();
                          return handles ? std::optional(handles->board->read()) : std::nullopt;
                        },
                        .runs = parts_.settings->storage.data_dir / "runs",
                        .started = parts_.started};
  const auto executor = co_await boost::asio::this_coro::executor;
  if (!hub_->enter())
    co_return fail(error_code::unavailable,
                   "the daemon serves its maximum of " + std::to_string(limits::event_streams_max) + " streams of events",
                   "close one of them");
  response answer;
  answer.result(200);
  answer.set(boost::beast::http::field::content_type, "text/event-stream");
  answer.set(boost::beast::http::field::cache_control, "no-store");
  answer.rest = std::make_shared<event_stream>(hub_, std::move(sources), std::move(what), executor);
  co_return answer;
}

boost::asio::awaitable<result<actors::job_records>> api::records_of(std::vector<job_id> ids) {
  actors::find_jobs message{std::move(ids), true};
  co_return co_await ask<result<actors::job_records>>(&actor_handles::history, message);
}

} // namespace ferry::http
