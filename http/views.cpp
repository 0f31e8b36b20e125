#include "http/views.hpp"

#include "runners/metrics.hpp"

namespace ferry::http {
namespace {

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}
json or_null(const std::optional<instant>& t) { return t ? json(to_rfc3339(*t)) : json(nullptr); }
json or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

json failure_json(const failure& why) {
  return {{"kind", to_string(why.kind)},
          {"message", why.message},
          {"exit_status", or_null(why.exit_status)},
          {"signal", or_null(why.signal)}};
}

json run_seconds(const job_record& r) {
  if (!r.started)
    return nullptr;
  if (r.state != job_state::running && !r.finished)
    return nullptr;
  return static_cast<double>((r.finished.value_or(wall_clock_now()) - *r.started).count()) / 1000.0;
}

// Of a job that runs in parts.
json items_json(const job_record& r) {
  if (r.part.is_all() && r.items_done == 0)
    return nullptr;
  json items = json::object();
  items["done"] = r.state == job_state::completed ? r.part.of : r.items_done;
  items["running"] = r.state == job_state::running ? r.part.count : 0;
  items["total"] = r.part.of;
  return items;
}

} // namespace

// Members are assigned one by one: nlohmann's initializer lists make and copy an array for each, which took most of a page's time.
json progress_json(const progress& how_far) {
  json view = json::object();
  view["fraction"] = or_null(how_far.fraction);
  view["step"] = or_null(how_far.step);
  view["total"] = or_null(how_far.total);
  view["message"] = how_far.message;
  view["metrics"] = runners::metrics_to_json(how_far.metrics);
  return view;
}

json job_json(const actors::job_view& job, bool brief, const std::filesystem::path& data_dir) {
  const job_record& r = job.record;
  json progress = progress_json(job.how_far);
  if (r.state == job_state::completed)
    progress["fraction"] = 1.0;
  json view = json::object();
  view["id"] = r.id.value;
  view["type"] = r.type;
  view["name"] = r.name;
  view["status"] = to_string(r.state);
  view["priority"] = r.priority;
  view["effective_priority"] = or_null(job.effective_priority);
  view["held"] = r.held;
  view["held_for"] = or_null(r.held ? r.held_for : std::string());
  view["not_before"] = or_null(r.not_before);
  view["position"] = or_null(job.position);
  view["waiting_for"] = or_null(job.waiting_for);
  view["phase"] = or_null(job.phase);
  view["expected_start"] = job.expected_start ? json(to_rfc3339(job.expected_start->start)) : json(nullptr);
  view["expected_start_p90"] = job.expected_start ? json(to_rfc3339(job.expected_start->late)) : json(nullptr);
  view["expected_end"] = or_null(job.expected_end);
  view["progress"] = std::move(progress);
  view["created"] = to_rfc3339(r.created);
  view["started"] = or_null(r.started);
  view["finished"] = or_null(r.finished);
  view["cleared"] = or_null(r.cleared);
  view["attempts"] = r.attempts;
  view["retries"] = r.retries;
  view["resumed_from"] = r.resumed_from.is_none() ? json(nullptr) : json(r.resumed_from.value);
  json needs = json::array();
  for (const job_id needed : r.needs)
    needs.push_back(needed.value);
  view["needs"] = std::move(needs);
  view["on_needs_failure"] = r.on_needs_failure ? json(to_string(*r.on_needs_failure)) : json(nullptr);
  view["group"] = or_null(r.group);
  view["unique_key"] = or_null(r.unique_key);
  view["user"] = or_null(r.user);
  view["on"] = r.on.is_empty() ? json(nullptr) : to_json(r.on);
  view["items"] = items_json(r);
  view["batch"] = r.batch.is_none() ? json(nullptr) : json(r.batch.value);
  view["device"] = or_null(r.device);
  view["run_seconds"] = run_seconds(r);
  view["failure"] = r.why_failed ? failure_json(*r.why_failed) : json(nullptr);
  if (brief)
    return view;
  view["directory"] =
      r.batch.is_none() ? json(nullptr) : json((data_dir / "runs" / to_string(r.batch) / "jobs" / to_string(r.id)).string());
  view["params"] = r.params;
  view["result"] = r.result;
  return view;
}

// ---- what starts when, and what was measured --------------------------------------------------------------------------------

namespace {

json ids_json(const std::vector<job_id>& ids) {
  json list = json::array();
  for (const job_id id : ids)
    list.push_back(id.value);
  return list;
}

json seconds_json(duration d) { return static_cast<double>(d.count()) / 1000.0; }
double share_of(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

json promise_json(const std::optional<scheduling::start_promise>& promise) {
  if (!promise)
    return nullptr;
  return {{"made", to_rfc3339(promise->made)}, {"start", to_rfc3339(promise->start)}, {"start_p90", to_rfc3339(promise->late)}};
}

json moment_json(const actors::start_change::moment& m) { return {{"position", or_null(m.position)}, {"start", or_null(m.start)}}; }

} // namespace

json plan_json(const actors::planned_batch& batch) {
  const bool is_running = !batch.id.is_none(), is_measured = batch.together.count() > 0 && batch.alone.count() > 0;
  json view = {{"batch", is_running ? json(batch.id.value) : json(nullptr)},
               {"type", batch.type},
               {"device", batch.device},
               {"jobs", ids_json(batch.jobs)},
               {"loads_model", batch.loads},
               {"expected_end", or_null(batch.ends)}};
  if (is_running) {
    view["started"] = to_rfc3339(batch.starts);
    return view;
  }
  view["expected_start"] = batch.is_known ? json(to_rfc3339(batch.starts)) : json(nullptr);
  view["expected_start_p90"] = or_null(batch.late);
  view["together_seconds"] = is_measured ? seconds_json(batch.together) : json(nullptr);
  view["one_by_one_seconds"] = is_measured ? seconds_json(batch.alone) : json(nullptr);
  view["saved_share"] = is_measured
                            ? json(1 - static_cast<double>(batch.together.count()) / static_cast<double>(batch.alone.count()))
                            : json(nullptr);
  return view;
}

json explanation_json(const actors::explanation& what) {
  json devices = json::array();
  for (const auto& one : what.devices)
    devices.push_back({{"device", one.device}, {"why", one.why}, {"until", or_null(one.until)}, {"jobs", ids_json(one.jobs)}});
  const auto& job = what.job;
  return {{"id", job.record.id.value},
          {"status", to_string(job.record.state)},
          {"position", or_null(job.position)},
          {"waiting_for", or_null(job.waiting_for)},
          {"expected_start", job.expected_start ? json(to_rfc3339(job.expected_start->start)) : json(nullptr)},
          {"expected_start_p90", job.expected_start ? json(to_rfc3339(job.expected_start->late)) : json(nullptr)},
          {"promised", promise_json(what.promised)},
          {"expected_end", or_null(job.expected_end)},
          {"fair_share", or_null(what.share)},
          {"devices", std::move(devices)},
          {"planned", what.planned ? plan_json(*what.planned) : json(nullptr)}};
}

json changes_json(const actors::start_changes& changes) {
  json list = json::array();
  for (const auto& one : changes)
    list.push_back({{"job", one.job.value}, {"before", moment_json(one.before)}, {"after", moment_json(one.after)}});
  return {{"dry_run", true}, {"changes", std::move(list)}};
}

json statistics_json(const actors::statistics& what) {
  json types = json::object();
  for (const auto& [name, s] : what.types)
    types[name] = {
        {"jobs", s.jobs},
        {"batches", s.batches},
        {"loads", s.loads},
        {"worked_seconds", s.worked_ms / 1000},
        {"loading_seconds", s.loaded_ms / 1000},
        {"warmth", {{"jobs", s.warm_jobs}, {"saved_seconds", s.warm_saved_ms / 1000}}},
        {"batching",
         {{"jobs", s.shared_jobs},
          {"one_by_one_seconds", s.shared_alone_ms / 1000},
          {"took_seconds", s.shared_ms / 1000},
          {"saved_seconds", (s.shared_alone_ms - s.shared_ms) / 1000}}},
        {"estimates",
         {{"jobs", s.estimated},
          {"mean_relative_error", s.estimated ? json(s.relative_error_sum / static_cast<double>(s.estimated)) : json(nullptr)},
          {"within_20_percent", share_of(s.within_20_percent, s.estimated)},
          {"at_most_p90", share_of(s.at_most_p90, s.estimated)}}}};
  json promises = json::array();
  for (std::size_t i = 0; i < what.promises.size(); ++i) {
    const auto& t = what.promises[i];
    const auto& bounds = scheduling::promise_book::bounds_seconds;
    promises.push_back(
        {{"from_seconds", i == 0 ? json(0) : json(bounds.at(i - 1))},
         {"to_seconds", i < bounds.size() ? json(bounds.at(i)) : json(nullptr)},
         {"starts", t.promises},
         {"within_20_percent", share_of(t.within_20_percent, t.promises)},
         {"at_most_p90", share_of(t.in_time, t.promises)},
         {"mean_error_seconds", t.promises ? json(t.error_sum / static_cast<double>(t.promises)) : json(nullptr)},
         {"mean_promised_seconds", t.promises ? json(t.promised_sum / static_cast<double>(t.promises)) : json(nullptr)},
         {"mean_waited_seconds", t.promises ? json(t.came_sum / static_cast<double>(t.promises)) : json(nullptr)}});
  }
  json users = json::array();
  for (const auto& one : what.users)
    users.push_back({{"name", or_null(one.name)},
                     {"weight", one.weight},
                     {"share", one.share},
                     {"device_seconds", one.device_seconds},
                     {"queued", one.queued},
                     {"running", one.running},
                     {"completed", one.completed}});
  return {{"types", std::move(types)}, {"promised_starts", std::move(promises)}, {"users", std::move(users)}};
}

json submitted_json(const actors::submitted_job& job) {
  json view = json::object();
  view["id"] = job.id.value;
  view["position"] = or_null(job.position);
  if (!job.waiting_for.empty())
    view["waiting_for"] = job.waiting_for;
  if (job.existing)
    view["existing"] = true;
  return view;
}

json group_json(const actors::group_view& group) {
  return {{"name", group.name},
          {"queued", group.queued},
          {"running", group.running},
          {"parallel", group.settings.parallel},
          {"paused", group.settings.paused}};
}

json counts_json(const actors::queue_counts& counts, bool with_finished) {
  json view = {{"queued", counts.queued}, {"held", counts.held}, {"running", counts.running}};
  if (with_finished) {
    view["completed"] = counts.completed;
    view["failed"] = counts.failed;
    view["cancelled"] = counts.cancelled;
  }
  return view;
}

json device_json(const device& what) {
  return {{"id", what.id},       {"kind", to_string(what.kind)},  {"name", what.name},
          {"slots", what.slots}, {"memory_mib", what.memory_mib}, {"labels", what.labels}};
}

json device_json(const scheduling::device_ledger::account& account, const device_reading& reading,
                 const scheduling::device_ledger& ledger, const std::vector<config::job_type>& types) {
  const device& d = account.owner;
  json workers = json::array();
  for (const auto& [id, worker] : ledger.workers()) {
    if (worker.device != d.id)
      continue;
    const auto* type = worker.type < types.size() ? &types[worker.type] : nullptr;
    workers.push_back(
        {{"id", id.value},
         {"type", type ? type->name : ""},
         {"state", worker.is_leaving  ? "ending"
                   : worker.is_idle() ? "idle"
                                      : "busy"},
         {"batch", worker.busy_with.is_none() ? json(nullptr) : json(worker.busy_with.value)},
         {"memory_mib", worker.memory_mib},
         {"idle_until", worker.is_idle() && type ? json(to_rfc3339(worker.idle_since + type->worker.keep_alive)) : json(nullptr)}});
  }
  json view = device_json(d);
  view["slots_used"] = account.slots_used;
  view["out_of_service"] = or_null(account.out_of_service);
  view["memory_leased_mib"] = account.memory_leased_mib;
  view["memory_taken_mib"] = account.memory_taken_mib;
  view["workers"] = std::move(workers);
  view["memory_used_mib"] = or_null(reading.memory_used_mib);
  view["memory_foreign_mib"] = or_null(reading.memory_foreign_mib);
  view["utilization_percent"] = or_null(reading.utilization_percent);
  view["temperature_c"] = or_null(reading.temperature_c);
  return view;
}

json node_json(const actors::node_view& node) {
  json devices = json::array(), runs = json::array();
  for (const device& lent : node.devices)
    devices.push_back(device_json(lent));
  for (const batch_id run : node.runs)
    runs.push_back(run.value);
  return {{"name", node.name},
          {"version", node.version},
          {"address", node.address},
          {"connected", node.is_connected},
          {"drained", node.is_drained},
          {"trouble", or_null(node.trouble)},
          {"heard", or_null(node.heard)},
          {"lease_ends", or_null(node.lease_ends)},
          {"devices", std::move(devices)},
          {"runs", std::move(runs)}};
}

json job_type_json(const config::job_type& type) {
  const char* device = type.device == config::device_choice::gpu   ? "gpu"
                       : type.device == config::device_choice::cpu ? "cpu"
                                                                   : "auto";
  return {{"name", type.name},
          {"description", type.description},
          {"device", device},
          {"slots", type.slots},
          {"memory_mib", type.memory_mib},
          {"tier", type.tier},
          {"preemptible", type.preemptible},
          {"max_run_seconds", type.watch.max_run_time.count() ? json(type.watch.max_run_time.count()) : json(nullptr)},
          {"parameters", type.parameters.source()}};
}

} // namespace ferry::http
