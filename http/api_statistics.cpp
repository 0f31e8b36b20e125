// What was measured, and what became of jobs by hour, day and reason.
#include "config/limits.hpp"
#include "config/text.hpp"
#include "http/api.hpp"
#include "http/views.hpp"

namespace ferry::http {

using actors::actor_handles;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t buckets_max = 24 * 31;

double seconds(duration d) { return static_cast<double>(d.count()) / 1000.0; }

json count_json(const storage::job_count& row) {
  const auto wait = [&](duration d) { return row.started > 0 ? json(seconds(d)) : json(nullptr); };
  return {{"start", to_rfc3339(row.start)},
          {"type", row.type},
          {"submitted", row.submitted},
          {"started", row.started},
          {"completed", row.completed},
          {"failed", row.failed},
          {"cancelled", row.cancelled},
          {"wait_p50_seconds", wait(row.wait_p50)},
          {"wait_p90_seconds", wait(row.wait_p90)},
          {"device_seconds", seconds(row.device_time)}};
}

// The first of so many buckets of which now is in the last.
instant first_bucket(instant now, duration bucket, duration offset, std::int64_t buckets) {
  const auto local = now.time_since_epoch() + offset;
  return instant{local - local % bucket - offset - (buckets - 1) * bucket};
}

} // namespace

api::reply api::read_statistics(const request& r) {
  if (auto known = check_query(r, {}); !known)
    co_return fail(known.error());
  const auto found = co_await ask<result<actors::statistics>>(&actor_handles::queue, actors::read_statistics{});
  if (!found)
    co_return fail(found.error());
  co_return json_response(200, statistics_json(*found));
}

api::reply api::count_jobs(const request& r) {
  if (auto known = check_query(r, {"bucket", "buckets", "utc_offset_minutes"}); !known)
    co_return fail(known.error());
  const auto named = r.query.find("bucket");
  const std::string name = named == r.query.end() ? "hour" : named->second;
  if (name != "hour" && name != "day")
    co_return fail(error_code::invalid_argument, "bucket must be hour or day, is '" + config::shortened(name) + "'");
  const auto buckets = query_number(r, "buckets", name == "hour" ? 48 : 30, 1, buckets_max);
  const auto offset = query_number(r, "utc_offset_minutes", 0, -14 * 60, 14 * 60);
  if (!buckets || !offset)
    co_return fail(buckets ? offset.error() : buckets.error());
  storage::counts_query query{
      .from = {}, .bucket = name == "hour" ? duration(1h) : duration(24h), .offset = *offset * duration(1min)};
  query.from = first_bucket(wall_clock_now(), query.bucket, query.offset, *buckets);
  const auto counted = co_await ask<result<storage::job_counts>>(&actor_handles::history, actors::count_jobs{query});
  if (!counted)
    co_return fail(counted.error());
  json rows = json::array();
  for (const auto& row : counted->rows)
    rows.push_back(count_json(row));
  co_return json_response(
      200, {{"bucket", name}, {"from", to_rfc3339(query.from)}, {"rows", std::move(rows)}, {"is_whole", counted->is_whole}});
}

api::reply api::count_failures(const request& r) {
  if (auto known = check_query(r, {"limit"}); !known)
    co_return fail(known.error());
  const auto limit = query_number(r, "limit", 20, 1, limits::page_rows_max);
  if (!limit)
    co_return fail(limit.error());
  const auto found = co_await ask<result<actors::failure_counts>>(&actor_handles::history,
                                                                  actors::count_failures{static_cast<std::size_t>(*limit)});
  if (!found)
    co_return fail(found.error());
  json list = json::array();
  for (const auto& one : *found)
    list.push_back({{"type", one.type},
                    {"kind", to_string(one.why.kind)},
                    {"message", one.why.message},
                    {"jobs", one.jobs},
                    {"last", to_rfc3339(one.last)}});
  co_return json_response(200, {{"failures", std::move(list)}});
}

} // namespace ferry::http
