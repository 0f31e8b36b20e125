// The groups that users put jobs into.
#include "actors/queue_state.hpp"

namespace ferry::actors {

// What keeps jobs from starting holds at once, before it is on disk, and is undone if the disk refuses it.
caf::result<result<done>> queue_state::change(const change_group& what) {
  if (auto valid = scheduling::check_group_name(what.name); !valid)
    return result<done>(fail(std::move(valid.error())));
  if (auto valid = scheduling::check_parallel(what.parallel.value_or(0)); !valid)
    return result<done>(fail(std::move(valid.error())));
  const auto index = named_.find_or_add(what.name, [this](auto of) { return jobs_.queued_in(of) > 0; });
  if (!index)
    return result<done>(fail(index.error()));
  const auto before = named_.at(*index).settings;
  auto settings = before;
  if (what.parallel)
    settings.parallel = static_cast<int>(*what.parallel);
  if (what.paused)
    settings.paused = *what.paused;
  named_.arriving(*index); // its place stays its own
  named_.set(*index, settings);
  queue_changed();
  auto promise = self_->make_response_promise<result<done>>();
  request(self_, storage_, caf::infinite,
          append_facts{{group_changed{what.name, settings.parallel, settings.paused, wall_clock_now()}}, {}})
      .then([this, promise, index = *index, before](const result<storage::append_outcome>& outcome) mutable {
        named_.arrived(index);
        if (!outcome) {
          named_.set(index, before);
          queue_changed();
        }
        promise.deliver(outcome ? result<done>(done{}) : result<done>(fail(outcome.error())));
      });
  return promise;
}

group_list queue_state::list_groups() const {
  group_list list;
  for (const auto index : named_.all()) {
    const auto& one = named_.at(index);
    group_view shown{one.name, jobs_.queued_in(index), one.running, one.settings};
    if (shown.queued > 0 || shown.running > 0 || shown.settings != scheduling::group_settings{})
      list.push_back(std::move(shown));
  }
  return list;
}

bool queue_state::groups_have_room(const std::vector<job_id>& jobs) const {
  std::vector<scheduling::named_group_index> named;
  for (const job_id id : jobs)
    named.push_back(jobs_.find(id)->named_group);
  return named_.have_room(named);
}

// Another one of its group may start.
void queue_state::runs_no_more(const scheduling::queued_job& job) {
  named_.ended(job.named_group);
  users_.ended(job.user);
  changed_ = changed_ || job.named_group != 0;
}

} // namespace ferry::actors
