#include "config/text.hpp"
#include "http/api.hpp"

#include "config/limits.hpp"
#include "http/log_file.hpp"
#include "http/views.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <initializer_list>

namespace ferry::http {

using namespace std::chrono_literals;
using actors::actor_handles;

namespace {

// How often a log that is followed is looked at.
constexpr auto log_poll = 50ms;

} // namespace

boost::asio::awaitable<result<actors::job_view>> api::view_of(job_id id) {
  co_return co_await ask<result<actors::job_view>>(&actor_handles::queue, actors::read_job{id});
}

boost::asio::awaitable<result<json>> api::timeline_of(const actors::job_view& job) {
  const auto stored = co_await ask<result<actors::history_entries>>(&actor_handles::history, actors::read_history{job.record.id});
  if (!stored)
    co_return fail(stored.error());
  json list = json::array();
  for (const auto& entry : *stored)
    list.push_back({{"at", to_rfc3339(entry.at)}, {"what", entry.what}, {"detail", entry.detail}});
  for (const run_note& note : job.notes)
    list.push_back({{"at", to_rfc3339(note.at)},
                    {"what", storage::name_of(note.what)},
                    {"detail", note.detail.is_null() ? json::object() : note.detail}});
  co_return list;
}

api::reply api::whole_job(job_id id) {
  const auto view = co_await view_of(id);
  if (!view)
    co_return fail(view.error());
  auto timeline = co_await timeline_of(*view);
  if (!timeline)
    co_return fail(timeline.error());
  json job = job_json(*view, false, parts_.settings->storage.data_dir);
  job["history"] = std::move(*timeline);
  co_return json_response(200, job);
}

template <class Command>
api::reply api::command(Command what) {
  const auto id = what.id;
  const auto finished = co_await ask<result<actors::done>>(&actor_handles::queue, what);
  if (!finished)
    co_return fail(finished.error());
  auto view = co_await view_of(id);
  if (!view)
    co_return fail(view.error());
  co_return json_response(200, job_json(*view, false, parts_.settings->storage.data_dir));
}

api::reply api::list_jobs(const request& r) {
  if (auto known = check_query(r, {"status", "type", "name", "before", "limit", "cleared"}); !known)
    co_return fail(known.error());
  storage::job_filter filter;
  const auto limit = query_number(r, "limit", 50, 1, limits::page_rows_max);
  const auto before = query_number(r, "before", 0, 1, INT64_MAX);
  if (!limit || !before)
    co_return fail(limit ? before.error() : limit.error());
  const auto text = [&](const char* key) { return r.query.contains(key) ? r.query.at(key) : std::string{}; };
  std::vector<std::string> names;
  for (std::string rest = text("status"); !rest.empty();) {
    const auto comma = std::min(rest.find(','), rest.size());
    names.push_back(rest.substr(0, comma));
    rest.erase(0, comma + 1);
  }
  auto states = states_from(names);
  if (!states)
    co_return fail(states.error());
  const auto cleared = text("cleared");
  if (cleared != "" && cleared != "true" && cleared != "false")
    co_return fail(error_code::invalid_argument, "cleared must be true or false, is '" + cleared.substr(0, 40) + "'");
  filter = {.states = std::move(*states),
            .type = text("type"),
            .name_contains = text("name"),
            .with_cleared = cleared == "true",
            .before = {*before},
            .limit = static_cast<std::size_t>(*limit)};
  actors::read_jobs message{std::move(filter)};
  const auto page = co_await ask<result<actors::job_list>>(&actor_handles::queue, message);
  if (!page)
    co_return fail(page.error());
  json list = json::array();
  for (const auto& view : page->jobs)
    list.push_back(job_json(view, true, parts_.settings->storage.data_dir));
  const auto& next = page->next_before;
  co_return json_response(200, {{"jobs", std::move(list)}, {"next_before", next ? json(next->value) : json(nullptr)}});
}

api::reply api::show_job(const request& r) {
  if (auto known = check_query(r, {"wait"}); !known)
    co_return fail(known.error());
  const auto id = job_id_from(r.path[1]);
  const auto wait = query_number(r, "wait", 0, 1, limits::wait_seconds_max);
  if (!id || !wait)
    co_return fail(id ? wait.error() : id.error());
  if (*wait > 0) {
    const auto finished =
        co_await ask<result<actors::done>>(&actor_handles::queue, actors::await_job{*id, std::chrono::seconds(*wait)});
    if (!finished)
      co_return fail(finished.error());
  }
  co_return co_await whole_job(*id);
}

api::reply api::edit_job(const request& r) {
  const auto id = job_id_from(r.path[1]);
  if (!id)
    co_return fail(id.error());
  auto body = parse_object(r.body);
  if (!body)
    co_return fail(body.error());
  if (auto known = check_keys(*body, {"priority", "name", "params", "base_dir", "dry_run"}); !known)
    co_return fail(known.error());
  actors::edit_job message{.id = *id};
  const auto priority = priority_member(*body);
  if (!priority)
    co_return fail(priority.error());
  message.priority = *priority;
  const auto is_trial = boolean_member(*body, "dry_run");
  if (!is_trial)
    co_return fail(is_trial.error());
  if (is_trial->value_or(false)) {
    if (!message.priority || body->size() != 2)
      co_return fail(error_code::invalid_argument, "dry_run goes with priority, and with nothing else");
    actors::try_change trial{.id = *id, .priority = message.priority};
    co_return co_await dry_run(trial);
  }
  auto name = string_member(*body, "name");
  if (!name)
    co_return fail(name.error());
  message.name = std::move(*name);
  auto base_dir = string_member(*body, "base_dir");
  if (!base_dir)
    co_return fail(base_dir.error());
  message.base_dir = base_dir->value_or("");
  if (body->contains("params"))
    message.params = std::move((*body)["params"]);
  co_return co_await command(std::move(message));
}

template <class Command>
api::reply api::on_job(const request& r) {
  const auto id = job_id_from(r.path[1]);
  if (!id)
    co_return fail(id.error());
  co_return co_await command(Command{*id});
}
template api::reply api::on_job<actors::hold_job>(const request&);
template api::reply api::on_job<actors::release_job>(const request&);
template api::reply api::on_job<actors::suspend_job>(const request&);

api::reply api::cancel_job(const request& r) {
  const auto id = job_id_from(r.path[1]);
  if (!id)
    co_return fail(id.error());
  const auto body = parse_object(r.body);
  if (!body)
    co_return fail(body.error());
  if (auto known = check_keys(*body, {"only_if"}); !known)
    co_return fail(known.error());
  const auto only_if = string_member(*body, "only_if");
  if (!only_if)
    co_return fail(only_if.error());
  if (*only_if && **only_if != "queued")
    co_return fail(error_code::invalid_argument, "only_if must be queued, is '" + config::shortened(**only_if) + "'");
  co_return co_await command(actors::cancel_job{*id, only_if->has_value()});
}

api::reply api::retry_job(const request& r) {
  const auto id = job_id_from(r.path[1]);
  if (!id)
    co_return fail(id.error());
  const auto body = parse_object(r.body);
  if (!body)
    co_return fail(body.error());
  if (auto known = check_keys(*body, {"from_scratch"}); !known)
    co_return fail(known.error());
  const auto from_scratch = boolean_member(*body, "from_scratch");
  if (!from_scratch)
    co_return fail(from_scratch.error());
  co_return co_await command(actors::retry_job{*id, from_scratch->value_or(false)});
}

api::reply api::resume_job(const request& r) {
  const auto id = job_id_from(r.path[1]);
  if (!id)
    co_return fail(id.error());
  const auto body = parse_object(r.body);
  if (!body)
    co_return fail(body.error());
  if (auto known = check_keys(*body, {"as_new"}); !known)
    co_return fail(known.error());
  const auto as_new = boolean_member(*body, "as_new");
  if (!as_new)
    co_return fail(as_new.error());
  if (!as_new->value_or(false))
    co_return co_await command(actors::resume_job{*id});
  const auto made = co_await ask<result<actors::jobs_submitted>>(&actor_handles::queue, actors::resume_as_new{*id});
  if (!made)
    co_return fail(made.error());
  co_return json_response(201, submitted_json(made->jobs.at(0)));
}

api::reply api::move_job(const request& r) {
  const auto id = job_id_from(r.path[1]);
  if (!id)
    co_return fail(id.error());
  const auto body = parse_object(r.body);
  if (!body)
    co_return fail(body.error());
  if (auto known = check_keys(*body, {"position", "dry_run"}); !known)
    co_return fail(known.error());
  const auto is_trial = boolean_member(*body, "dry_run");
  if (!is_trial)
    co_return fail(is_trial.error());
  const auto position = body->find("position");
  scheduling::move_target target;
  if (position != body->end() && *position == "top")
    target = scheduling::to_top{};
  else if (position != body->end() && *position == "bottom")
    target = scheduling::to_bottom{};
  else if (position != body->end() && position->is_number_unsigned() && position->get<std::uint64_t>() >= 1)
    target = scheduling::to_position{position->get<std::size_t>()};
  else
    co_return fail(error_code::invalid_argument, "position must be a number from 1 on, \"top\" or \"bottom\"");
  if (is_trial->value_or(false)) {
    actors::try_change trial{.id = *id, .target = target};
    co_return co_await dry_run(trial);
  }
  co_return co_await command(actors::move_job{*id, target});
}

api::reply api::dry_run(actors::try_change what) {
  const auto changes = co_await ask<result<actors::start_changes>>(&actor_handles::queue, what);
  if (!changes)
    co_return fail(changes.error());
  co_return json_response(200, changes_json(*changes));
}

api::reply api::explain_job(const request& r) {
  const auto id = job_id_from(r.path[1]);
  if (!id)
    co_return fail(id.error());
  const auto answer = co_await ask<result<actors::explanation>>(&actor_handles::queue, actors::explain_job{*id});
  if (!answer)
    co_return fail(answer.error());
  co_return json_response(200, explanation_json(*answer));
}

api::reply api::read_history(const request& r) {
  const auto id = job_id_from(r.path[1]);
  if (!id)
    co_return fail(id.error());
  const auto view = co_await view_of(*id);
  if (!view)
    co_return fail(view.error());
  auto timeline = co_await timeline_of(*view);
  if (!timeline)
    co_return fail(timeline.error());
  co_return json_response(200, {{"history", std::move(*timeline)}});
}

api::reply api::read_log(const request& r) {
  if (auto known = check_query(r, {"offset", "limit", "wait", "attempt"}); !known)
    co_return fail(known.error());
  const auto id = job_id_from(r.path[1]);
  const auto offset = query_number(r, "offset", 0, INT64_MIN, INT64_MAX);
  const auto limit = query_number(r, "limit", limits::log_chunk_bytes_max, 1, limits::log_chunk_bytes_max);
  const auto wait = query_number(r, "wait", 0, 1, limits::wait_seconds_max);
  const auto attempt = query_number(r, "attempt", 0, 1, INT32_MAX);
  for (const error* e : std::initializer_list<const error*>{id ? nullptr : &id.error(), offset ? nullptr : &offset.error(),
                                                            limit ? nullptr : &limit.error(), wait ? nullptr : &wait.error(),
                                                            attempt ? nullptr : &attempt.error()})
    if (e)
      co_return fail(*e);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(*wait);
  boost::asio::steady_timer pause(co_await boost::asio::this_coro::executor);
  for (;;) {
    // The state first: what an ended job has written is all there when its log is read after.
    const auto view = co_await view_of(*id);
    if (!view)
      co_return fail(view.error());
    const bool is_latest = *attempt == 0 || *attempt == view->record.attempts;
    const bool is_over = *attempt != 0 && view->record.state != job_state::running; // another attempt has another log
    const bool ended = !is_latest || is_over || is_finished(view->record.state);
    auto batch = view->record.batch;
    if (!is_latest) {
      const auto run = co_await run_of_attempt(*id, *attempt);
      if (!run)
        co_return fail(run.error());
      batch = *run;
    }
    log_chunk chunk;
    if (!batch.is_none()) {
      auto read = read_log_file(parts_.settings->storage.data_dir / "runs" / to_string(batch) / "output.log", *offset,
                                static_cast<std::size_t>(*limit));
      if (!read)
        co_return fail(read.error());
      chunk = std::move(*read);
    }
    if (chunk.bytes.empty() && !ended && std::chrono::steady_clock::now() < deadline) {
      pause.expires_after(log_poll);
      co_await pause.async_wait(boost::asio::use_awaitable);
      continue;
    }
    response answer;
    answer.result(200);
    answer.set(boost::beast::http::field::content_type, "application/octet-stream");
    if (!batch.is_none())
      answer.set("Ferry-Log-Attempt", std::to_string(is_latest ? view->record.attempts : *attempt));
    answer.set("Ferry-Log-Offset", std::to_string(chunk.offset));
    answer.set("Ferry-Log-Next", std::to_string(chunk.offset + static_cast<std::int64_t>(chunk.bytes.size())));
    if (ended && chunk.at_end)
      answer.set("Ferry-Log-Complete", "true");
    answer.body() = std::move(chunk.bytes);
    co_return answer;
  }
}

} // namespace ferry::http
