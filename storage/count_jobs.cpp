#include "storage/count_jobs.hpp"

#include "storage/history.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace ferry::storage {
namespace {

constexpr const char* select_newest = R"sql(
SELECT type, state, created, started, finished, attempts FROM jobs ORDER BY id DESC LIMIT ?)sql";
constexpr const char* select_types = "SELECT id, name FROM job_types";
constexpr const char* select_failed = R"sql(
SELECT jobs.finished, job_outcomes.failure FROM jobs INDEXED BY jobs_by_type
JOIN job_outcomes ON job_outcomes.job = jobs.id
WHERE jobs.type = ? AND jobs.state = 3 AND (jobs.cleared IS NULL) = ? ORDER BY jobs.id DESC LIMIT ?)sql";

constexpr duration wait_max = std::chrono::hours(24 * 7);
constexpr std::size_t failed_jobs_max = 2'000; // of a type that are looked at

instant bucket_of(instant at, const counts_query& query) {
  const auto since_epoch = at.time_since_epoch() + query.offset;
  return instant{since_epoch - since_epoch % query.bucket - query.offset};
}

// The value below which so large a part of them lies; sorts them.
duration percentile(std::vector<duration>& values, double part) {
  if (values.empty())
    return {};
  const auto place = std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place), values.end());
  return values[place];
}

std::map<std::int64_t, std::string> read_types(statement_cache& statements) {
  std::map<std::int64_t, std::string> names;
  auto row = statements.query(select_types);
  while (row.next())
    names.emplace(row.integer(0), row.text(1));
  return names;
}

} // namespace

job_counts count_jobs(statement_cache& statements, const counts_query& query) {
  struct bucket {
    job_count count;
    std::vector<duration> waits;
  };
  std::map<std::pair<instant, std::int64_t>, bucket> buckets;
  job_counts counted;
  std::size_t rows = 0;
  auto row = statements.query(select_newest, query.rows_max + 1);
  while (row.next()) {
    const auto created = row.time(2);
    if (created < query.from - wait_max)
      break;
    if (++rows > query.rows_max) {
      counted.is_whole = false;
      break;
    }
    const auto type = row.integer(0);
    const auto in = [&](instant at) -> bucket* { return at < query.from ? nullptr : &buckets[{bucket_of(at, query), type}]; };
    const auto started = row.optional_time(3), finished = row.optional_time(4);
    if (auto* of = in(created))
      ++of->count.submitted;
    if (started && row.integer(5) == 1)
      if (auto* of = in(*started)) {
        ++of->count.started;
        of->waits.push_back(std::max(*started - created, duration{0}));
      }
    auto* of = finished ? in(*finished) : nullptr;
    if (!of)
      continue;
    switch (static_cast<job_state>(row.integer(1))) {
    case job_state::completed: ++of->count.completed; break;
    case job_state::failed: ++of->count.failed; break;
    case job_state::cancelled: ++of->count.cancelled; break;
    default: break;
    }
    if (started)
      of->count.device_time += std::max(*finished - *started, duration{0});
  }
  const auto names = read_types(statements);
  for (auto& [key, of] : buckets) {
    of.count.start = key.first;
    if (const auto name = names.find(key.second); name != names.end())
      of.count.type = name->second;
    of.count.wait_p50 = percentile(of.waits, 0.5);
    of.count.wait_p90 = percentile(of.waits, 0.9);
    counted.rows.push_back(std::move(of.count));
  }
  std::sort(counted.rows.begin(), counted.rows.end(),
            [](const job_count& a, const job_count& b) { return std::tie(a.start, a.type) < std::tie(b.start, b.type); });
  return counted;
}

std::vector<failure_count> count_failures(statement_cache& statements, std::size_t limit) {
  std::vector<failure_count> all;
  for (const auto& [type, name] : read_types(statements)) {
    std::map<std::pair<failure_kind, std::string>, failure_count> reasons;
    for (const int still_listed : {1, 0}) {
      auto row = statements.query(select_failed, type, still_listed, failed_jobs_max);
      while (row.next()) {
        if (row.is_null(1))
          continue;
        auto why = failure_from(json::parse(row.view(1), nullptr, false));
        const auto ended = row.optional_time(0).value_or(instant{});
        auto& of = reasons[{why.kind, why.message}];
        ++of.jobs;
        if (of.jobs == 1 || ended > of.last) {
          of.type = name;
          of.why = std::move(why);
          of.last = ended;
        }
      }
    }
    for (auto& [reason, of] : reasons)
      all.push_back(std::move(of));
  }
  std::stable_sort(all.begin(), all.end(), [](const failure_count& a, const failure_count& b) {
    return std::tie(b.jobs, b.last) < std::tie(a.jobs, a.last);
  });
  if (all.size() > limit)
    all.resize(limit);
  return all;
}

} // namespace ferry::storage
