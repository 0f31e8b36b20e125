// Pages of the queue: in its order, all of it or those jobs that fit a filter.
#include "actors/queue_state.hpp"
#include "config/limits.hpp"
#include "storage/name_index.hpp"

#include <algorithm>

namespace ferry::actors {
namespace {

constexpr std::size_t piece_rows = 1'000; // of the queue, looked at between two looks at the bounds

} // namespace

struct queue_state::row_search {
  std::vector<std::pair<job_id, std::size_t>> rows; // with their offsets in the whole queue
  std::optional<std::size_t> next_offset = {};
};

job_ids queue_state::running_in_order() const {
  std::vector<std::pair<instant, job_id>> running;
  for (const auto& [id, batch] : running_)
    for (const member& one : batch.members)
      if (!one.over)
        running.emplace_back(batch.started, one.job.id);
  std::sort(running.begin(), running.end());
  job_ids ids;
  for (const auto& [started, id] : running)
    ids.push_back(id);
  return ids;
}

// Everything but the name, which is on disk: of a search by name far more rows are found than the page will have.
queue_state::row_search queue_state::find_rows(const read_queue& what) const {
  const auto& types = settings_->job_types;
  const auto user = what.user.empty() ? std::nullopt : users_.find(what.user);
  const auto fits = [&](const scheduling::queued_job& job) {
    return (what.type.empty() || (job.type < types.size() && types[job.type].name == what.type)) &&
           (what.user.empty() || (user && job.user == *user));
  };
  const bool by_name = !what.name_contains.empty();
  const auto wanted = by_name ? limits::queue_names_searched_max : what.limit;
  const auto running = running_in_order();
  const auto total = running.size() + (what.state == job_state::running ? 0 : jobs_.size());
  const bool wants_running = what.state != job_state::queued && !what.may_start;
  row_search found;
  auto at = wants_running ? what.offset : std::max(what.offset, running.size());
  const auto last = at + limits::queue_rows_searched_max;
  for (; at < running.size() && found.rows.size() < wanted; ++at) {
    const auto& members = running_.at(running_jobs_.at(running[at])).members;
    const auto one = std::find_if(members.begin(), members.end(), [&](const member& m) { return m.job.id == running[at]; });
    if (one != members.end() && fits(one->job))
      found.rows.emplace_back(running[at], at);
  }
  while (at < total && at < last && found.rows.size() < wanted)
    for (const auto& job : jobs_.page(at - running.size(), std::min(piece_rows, total - at))) {
      if (found.rows.size() == wanted)
        break;
      if (fits(job) && (!what.may_start || job.may_start() == *what.may_start))
        found.rows.emplace_back(job.id, at);
      ++at;
    }
  if (at < total)
    found.next_offset = at;
  return found;
}

caf::result<result<queue_page>> queue_state::read_page(const read_queue& what) {
  auto found = find_rows(what);
  job_ids ids;
  for (const auto& [id, offset] : found.rows)
    ids.push_back(id);
  auto promise = self_->make_response_promise<result<queue_page>>();
  request(self_, history_, caf::infinite, find_jobs{std::move(ids), true})
      .then([this, what, found = std::move(found), promise](result<job_records>& records) mutable {
        promise.deliver(records ? result<queue_page>(page_of(what, found, std::move(*records)))
                                : result<queue_page>(fail(records.error())));
      });
  return promise;
}

queue_page queue_state::page_of(const read_queue& what, const row_search& found, job_records records) const {
  queue_page page{.paused = paused_, .counts = counts(), .jobs = {}, .next_offset = found.next_offset};
  const auto part = storage::fold_name(what.name_contains);
  std::unordered_map<job_id, std::size_t> offsets(found.rows.begin(), found.rows.end());
  if (!part.empty()) {
    std::erase_if(records, [&](const job_record& r) { return storage::fold_name(r.name).find(part) == std::string::npos; });
    std::sort(records.begin(), records.end(),
              [&](const job_record& a, const job_record& b) { return offsets.at(a.id) < offsets.at(b.id); });
    if (records.size() > what.limit) {
      page.next_offset = offsets.at(records[what.limit].id);
      records.erase(records.begin() + static_cast<std::ptrdiff_t>(what.limit), records.end());
    }
  }
  for (job_record& record : records)
    page.jobs.push_back(view(std::move(record)));
  // Jobs that ended or moved while the rows were read: the page shows the order of now.
  std::erase_if(page.jobs, [](const job_view& v) { return is_finished(v.record.state); });
  std::stable_sort(page.jobs.begin(), page.jobs.end(), [](const job_view& a, const job_view& b) {
    const auto rank = [](const job_view& v) {
      return v.record.state == job_state::running ? std::size_t{0} : v.position.value_or(SIZE_MAX);
    };
    return rank(a) < rank(b);
  });
  return page;
}

} // namespace ferry::actors
