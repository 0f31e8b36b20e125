#include "scheduling/needs.hpp"

#include "config/limits.hpp"

#include <algorithm>

namespace ferry::scheduling {
namespace {

constexpr std::size_t needs_named = 5; // in one sentence

} // namespace

void need_book::add(job_id id, needs_rule rule, std::vector<needed_job> needs) {
  forget(id);
  std::erase_if(needs, [](const needed_job& one) { return one.state == job_state::completed; });
  if (needs.empty())
    return;
  for (const needed_job& one : needs)
    dependents_.emplace(one.id, id);
  entries_.emplace(id, entry{rule, std::move(needs)});
}

void need_book::forget(job_id id) {
  if (entries_.empty())
    return;
  const auto found = entries_.find(id);
  if (found == entries_.end())
    return;
  for (const needed_job& one : found->second.needs)
    dependents_.erase({one.id, id});
  entries_.erase(found);
}

std::vector<job_id> need_book::change(job_id id, job_state state) {
  std::vector<job_id> changed;
  for (auto it = dependents_.lower_bound({id, job_id{INT64_MIN}}); it != dependents_.end() && it->first == id;) {
    auto& needs = entries_.at(it->second).needs;
    const auto one = std::find_if(needs.begin(), needs.end(), [&](const needed_job& n) { return n.id == id; });
    changed.push_back(it->second);
    if (state == job_state::completed) { // which it stays: there is no way back
      needs.erase(one);
      if (needs.empty())
        entries_.erase(it->second);
      it = dependents_.erase(it);
    } else {
      one->state = state;
      ++it;
    }
  }
  return changed;
}

std::vector<job_id> need_book::ended(job_id id, job_state how) { return change(id, how); }

std::vector<job_id> need_book::returned(job_id id) { return change(id, job_state::queued); }

needs_verdict need_book::verdict(job_id id) const {
  const auto found = entries_.find(id);
  if (found == entries_.end())
    return needs_verdict::met;
  const auto& [rule, needs] = found->second;
  const auto has_ended = [](const needed_job& one) { return is_finished(one.state); };
  if (rule != needs_rule::start && std::any_of(needs.begin(), needs.end(), has_ended))
    return rule == needs_rule::hold ? needs_verdict::failed : needs_verdict::doomed;
  return std::all_of(needs.begin(), needs.end(), has_ended) ? needs_verdict::met : needs_verdict::open;
}

std::optional<needed_job> need_book::culprit(job_id id) const {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.rule == needs_rule::start)
    return std::nullopt;
  for (const needed_job& one : found->second.needs)
    if (is_finished(one.state))
      return one;
  return std::nullopt;
}

std::vector<job_id> need_book::open_needs(job_id id) const {
  std::vector<job_id> open;
  if (const auto found = entries_.find(id); found != entries_.end())
    for (const needed_job& one : found->second.needs)
      if (!is_finished(one.state))
        open.push_back(one.id);
  return open;
}

std::vector<job_id> need_book::jobs() const {
  std::vector<job_id> all;
  all.reserve(entries_.size());
  for (const auto& [id, of] : entries_)
    all.push_back(id);
  std::sort(all.begin(), all.end());
  return all;
}

std::optional<std::string> need_book::check_invariants() const {
  std::size_t needs = 0;
  for (const auto& [id, of] : entries_) {
    if (of.needs.empty())
      return "job " + to_string(id) + " is in the book and needs nothing";
    for (const needed_job& one : of.needs)
      if (!dependents_.contains({one.id, id}) || one.state == job_state::completed)
        return "job " + to_string(id) + " needs job " + to_string(one.id) + ", which does not know or has completed";
    needs += of.needs.size();
  }
  if (needs != dependents_.size())
    return "the book has more dependents than needs";
  return std::nullopt;
}

std::vector<cancelled_for_need> settle_needs(job_queue& jobs, need_book& book, const std::vector<job_id>& which, instant now) {
  std::vector<cancelled_for_need> cancelled;
  std::vector<job_id> to_look_at = which;
  for (std::size_t next = 0; next < to_look_at.size(); ++next) {
    const job_id id = to_look_at[next];
    auto job = jobs.find(id);
    if (!job)
      continue;
    const auto verdict = book.verdict(id);
    if (verdict == needs_verdict::doomed) {
      cancelled.push_back({*jobs.remove(id), *book.culprit(id)});
      book.forget(id);
      const auto dependents = book.ended(id, job_state::cancelled);
      to_look_at.insert(to_look_at.end(), dependents.begin(), dependents.end());
    } else if (const bool blocked = verdict != needs_verdict::met; job->blocked != blocked) {
      job->blocked = blocked;
      if (!blocked)
        job->begin_to_wait(now);
      jobs.replace(*job);
    }
  }
  return cancelled;
}

job_finished cancelled_fact(const cancelled_for_need& cancelled, instant at) {
  return {.id = cancelled.job.id,
          .batch = {},
          .state = job_state::cancelled,
          .why_failed = failure{.kind = failure_kind::needs, .message = describe_culprit(cancelled.because)},
          .result = {},
          .at = at};
}

std::vector<needed_job> with_states(const std::vector<job_id>& needs, const needed_states& known) {
  std::vector<needed_job> all;
  for (const job_id id : needs) {
    const auto found = known.find(id);
    all.push_back({id, found == known.end() ? job_state::queued : found->second});
  }
  return all;
}

std::string describe_culprit(const needed_job& culprit) {
  return "job " + to_string(culprit.id) + ", which it needs, " +
         (culprit.state == job_state::cancelled ? "was cancelled" : "failed");
}

std::string describe_needs(const std::vector<job_id>& open, const std::function<std::string(job_id)>& state_of) {
  if (open.empty())
    return {};
  if (open.size() == 1)
    return "needs job " + to_string(open.front()) + ", which is " + state_of(open.front());
  const auto named = std::min(open.size(), needs_named);
  std::string text = "needs jobs " + to_string(open.front());
  for (std::size_t i = 1; i < named; ++i)
    text += (i + 1 == open.size() ? " and " : ", ") + to_string(open[i]);
  return open.size() > named ? text + " and " + std::to_string(open.size() - named) + " more" : text;
}

std::vector<job_id> needed_by(const std::vector<job_request>& requests) {
  std::vector<job_id> all;
  for (const job_request& one : requests)
    if (one.needs.size() <= limits::needs_max) // else it is refused anyway
      all.insert(all.end(), one.needs.begin(), one.needs.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

} // namespace ferry::scheduling
