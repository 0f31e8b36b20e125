#include "config/text.hpp"
#include "http/api.hpp"

#include "config/limits.hpp"
#include "http/views.hpp"
#include "model/version.hpp"
#include "runners/foreign_memory.hpp"

#include <unistd.h>

namespace ferry::http {

using namespace std::chrono_literals;
using actors::actor_handles;

namespace {

// Device readings are shared by all that ask within this time: a GPU's answer can take milliseconds.
constexpr auto readings_fresh_for = 1s;

result<actors::read_queue> queue_filter_from(const request& r) {
  const auto text = [&](const char* key) { return r.query.contains(key) ? r.query.at(key) : std::string{}; };
  actors::read_queue filter{.type = text("type"), .user = text("user"), .name_contains = text("name")};
  if (const auto status = text("status"); status == "queued" || status == "running")
    filter.state = job_state_from(status);
  else if (!status.empty())
    return fail(error_code::invalid_argument, "status must be queued or running, is '" + config::shortened(status) + "'");
  if (const auto may_start = text("may_start"); may_start == "true" || may_start == "false")
    filter.may_start = may_start == "true";
  else if (!may_start.empty())
    return fail(error_code::invalid_argument, "may_start must be true or false, is '" + config::shortened(may_start) + "'");
  if (filter.may_start && filter.state == job_state::running)
    return fail(error_code::invalid_argument, "may_start tells queued jobs apart: it does not go with status=running");
  return filter;
}

} // namespace

const std::vector<device_reading>& api::readings() {
  const auto now = std::chrono::steady_clock::now();
  if (readings_.empty() || now - readings_at_ > readings_fresh_for) {
    readings_ = parts_.inventory->read();
    runners::tell_foreign_memory(readings_, parts_.settings->storage.data_dir);
    readings_at_ = now;
  }
  return readings_;
}

api::reply api::read_status(const request& r) {
  if (auto known = check_query(r, {}); !known)
    co_return fail(known.error());
  const auto handles = parts_.handles();
  if (!handles)
    co_return fail(restarting());
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(wall_clock_now() - parts_.started);
  const auto& now = readings();
  const status_text::key as_of{handles->board->edition(), readings_at_, uptime.count()};
  if (status_.as_of != as_of)
    status_ = {as_of, write_status(handles->board->read(), now, uptime.count())};
  co_return status_.written;
}

response api::write_status(const actors::status_board::snapshot& status, const std::vector<device_reading>& now,
                           std::int64_t uptime_seconds) const {
  json devices = json::array();
  const auto accounts = status.devices ? status.devices->accounts() : std::vector<scheduling::device_ledger::account>{};
  for (std::size_t i = 0; i < accounts.size(); ++i)
    devices.push_back(
        device_json(accounts[i], i < now.size() ? now[i] : device_reading{}, *status.devices, parts_.settings->job_types));
  auto notes = parts_.inventory->notes();
  notes.insert(notes.end(), notes_.begin(), notes_.end());
  const auto or_null = [](const std::string& text) { return text.empty() ? json(nullptr) : json(text); };
  const json http = {{"address", or_null(tcp_address_)},
                     {"url", or_null(tcp_url_)},
                     {"token_file", parts_.settings->http.tcp.token_file.string()}};
  return json_response(200, {{"version", version},
                             {"pid", ::getpid()},
                             {"started", to_rfc3339(parts_.started)},
                             {"uptime_seconds", uptime_seconds},
                             {"paused", status.paused},
                             {"data_dir", parts_.settings->storage.data_dir.string()},
                             {"counts", counts_json(status.counts, true)},
                             {"held_types", status.held_types},
                             {"devices", std::move(devices)},
                             {"http", http},
                             {"notes", std::move(notes)}});
}

api::reply api::read_queue(const request& r) {
  if (auto known = check_query(r, {"offset", "limit", "type", "user", "name", "status", "may_start"}); !known)
    co_return fail(known.error());
  const auto offset = query_number(r, "offset", 0, 0, INT64_MAX);
  const auto limit = query_number(r, "limit", 50, 1, limits::page_rows_max);
  if (!offset || !limit)
    co_return fail(offset ? limit.error() : offset.error());
  auto message = queue_filter_from(r);
  if (!message)
    co_return fail(message.error());
  message->offset = static_cast<std::size_t>(*offset);
  message->limit = static_cast<std::size_t>(*limit);
  const auto page = co_await ask<result<actors::queue_page>>(&actor_handles::queue, *message);
  if (!page)
    co_return fail(page.error());
  json jobs = json::array();
  for (const auto& job : page->jobs)
    jobs.push_back(job_json(job, true, parts_.settings->storage.data_dir));
  const auto& next = page->next_offset;
  co_return json_response(200, {{"paused", page->paused},
                                {"counts", counts_json(page->counts, false)},
                                {"jobs", std::move(jobs)},
                                {"next_offset", next ? json(*next) : json(nullptr)}});
}

api::reply api::read_batches(const request& r) {
  if (auto known = check_query(r, {"limit"}); !known)
    co_return fail(known.error());
  const auto limit = query_number(r, "limit", 20, 1, limits::page_rows_max);
  if (!limit)
    co_return fail(limit.error());
  const auto plan =
      co_await ask<result<actors::batch_plan>>(&actor_handles::queue, actors::read_batches{static_cast<std::size_t>(*limit)});
  if (!plan)
    co_return fail(plan.error());
  json running = json::array(), next = json::array();
  for (const auto& batch : plan->running)
    running.push_back(plan_json(batch));
  for (const auto& batch : plan->next)
    next.push_back(plan_json(batch));
  co_return json_response(200, {{"running", std::move(running)}, {"next", std::move(next)}, {"is_whole", plan->is_whole}});
}

api::reply api::set_paused(bool paused) {
  const auto finished = co_await ask<result<actors::done>>(&actor_handles::queue, actors::set_paused{paused});
  if (!finished)
    co_return fail(finished.error());
  co_return json_response(200, {{"paused", paused}});
}

api::reply api::pause_queue(const request&) { co_return co_await set_paused(true); }
api::reply api::unpause_queue(const request&) { co_return co_await set_paused(false); }

api::reply api::suspend_queue(const request&) {
  const auto suspended = co_await ask<result<std::size_t>>(&actor_handles::queue, actors::suspend_all{});
  if (!suspended)
    co_return fail(suspended.error());
  co_return json_response(200, {{"paused", true}, {"suspended", *suspended}});
}

api::reply api::resume_queue(const request&) {
  const auto released = co_await ask<result<std::size_t>>(&actor_handles::queue, actors::resume_all{});
  if (!released)
    co_return fail(released.error());
  co_return json_response(200, {{"paused", false}, {"released", *released}});
}

api::reply api::hold_type(const request& r) {
  const auto body = parse_object(r.body);
  if (!body)
    co_return fail(body.error());
  if (auto known = check_keys(*body, {"reason"}); !known)
    co_return fail(known.error());
  const auto reason = string_member(*body, "reason");
  if (!reason)
    co_return fail(reason.error());
  if (auto valid = scheduling::check_label("reason", reason->value_or("")); !valid)
    co_return fail(valid.error());
  actors::hold_type message{r.path[1], reason->value_or("")};
  const auto held = co_await ask<result<actors::done>>(&actor_handles::queue, message);
  if (!held)
    co_return fail(held.error());
  co_return json_response(200, {{"name", r.path[1]}, {"held", true}});
}

api::reply api::release_type(const request& r) {
  actors::release_type message{r.path[1]};
  const auto released = co_await ask<result<actors::done>>(&actor_handles::queue, message);
  if (!released)
    co_return fail(released.error());
  co_return json_response(200, {{"name", r.path[1]}, {"held", false}});
}

api::reply api::clear_queue(const request& r) {
  const auto body = parse_object(r.body);
  if (!body)
    co_return fail(body.error());
  if (auto known = check_keys(*body, {"status", "types", "ids", "older_than_seconds"}); !known)
    co_return fail(known.error());
  auto names = names_member(*body, "status");
  auto types = names_member(*body, "types");
  const auto ids = job_ids_member(*body, "ids", "");
  const auto age = integer_member(*body, "older_than_seconds", "");
  for (const error* e : std::initializer_list<const error*>{names ? nullptr : &names.error(), types ? nullptr : &types.error(),
                                                            ids ? nullptr : &ids.error(), age ? nullptr : &age.error()})
    if (e)
      co_return fail(*e);
  const bool has_filter = body->contains("status") || body->contains("types") || age->has_value();
  if (body->contains("ids") && (ids->empty() || has_filter))
    co_return fail(error_code::invalid_argument,
                   "ids must name at least one job, and stands alone: without status, types and older_than_seconds");
  if (*age && (**age < 0 || **age > limits::delay_seconds_max))
    co_return fail(error_code::invalid_argument, "older_than_seconds must be from 0 to " +
                                                     std::to_string(limits::delay_seconds_max) + ", is " + std::to_string(**age));
  for (const auto& type : *types)
    if (!parts_.settings->find_job_type(type))
      co_return fail(error_code::invalid_argument, "there is no job type '" + config::shortened(type) + "'", "see `ferry types`");
  auto states = states_from(names->empty() ? std::vector<std::string>{"completed", "failed", "cancelled"} : *names);
  if (!states)
    co_return fail(states.error());
  actors::clear_jobs message{.which = {.states = std::move(*states), .types = std::move(*types)}, .ids = *ids};
  if (*age)
    message.which.ended_before = wall_clock_now() - std::chrono::seconds(**age);
  const auto cleared = co_await ask<result<std::size_t>>(&actor_handles::queue, message);
  if (!cleared)
    co_return fail(cleared.error());
  co_return json_response(200, {{"cleared", *cleared}});
}

api::reply api::list_groups(const request& r) {
  if (auto known = check_query(r, {}); !known)
    co_return fail(known.error());
  const auto groups = co_await ask<actors::group_list>(&actor_handles::queue, actors::read_groups{});
  if (!groups)
    co_return fail(groups.error());
  json list = json::array();
  for (const auto& group : *groups)
    list.push_back(group_json(group));
  co_return json_response(200, {{"groups", std::move(list)}});
}

api::reply api::change_group(const request& r) {
  const auto body = parse_object(r.body);
  if (!body)
    co_return fail(body.error());
  if (auto known = check_keys(*body, {"parallel", "paused"}); !known)
    co_return fail(known.error());
  const auto parallel = integer_member(*body, "parallel");
  const auto paused = boolean_member(*body, "paused");
  if (!parallel || !paused)
    co_return fail(parallel ? paused.error() : parallel.error());
  actors::change_group message{r.path[1], *parallel, *paused};
  const auto changed = co_await ask<result<actors::done>>(&actor_handles::queue, message);
  if (!changed)
    co_return fail(changed.error());
  const auto groups = co_await ask<actors::group_list>(&actor_handles::queue, actors::read_groups{});
  if (!groups)
    co_return fail(groups.error());
  actors::group_view shown{.name = r.path[1]};
  for (const auto& group : *groups)
    if (group.name == shown.name)
      shown = group;
  co_return json_response(200, group_json(shown));
}

api::reply api::list_job_types(const request& r) {
  if (auto known = check_query(r, {}); !known)
    co_return fail(known.error());
  json list = json::array();
  const auto handles = parts_.handles();
  const auto held = handles ? handles->board->read().held_types : actors::held_type_reasons{};
  for (const auto& type : parts_.settings->job_types) {
    list.push_back(job_type_json(type));
    const auto reason = held.find(type.name);
    list.back()["held_for"] = reason == held.end() ? json(nullptr) : json(reason->second);
  }
  co_return json_response(200, {{"job_types", std::move(list)}});
}

} // namespace ferry::http
