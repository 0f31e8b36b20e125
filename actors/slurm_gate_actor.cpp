#include "actors/slurm_gate_actor.hpp"

#include "runners/slurm_client.hpp"

namespace ferry::actors {
namespace {

struct slurm_gate_state {
  using handle = slurm_gate_actor;

  slurm_gate_state(handle::pointer, config::slurm_settings where, std::shared_ptr<const std::atomic<bool>> ending)
      : slurm_(std::move(where), std::move(ending)) {}

  handle::behavior_type make_behavior() {
    return {
        [this](const submit_to_slurm& what) { return slurm_.submit(what.what); },
        [this](list_slurm_jobs) { return slurm_.list(); },
        [this](const end_slurm_job& what) -> result<done> {
          auto ended = slurm_.end(what.id, what.kill);
          return ended ? result<done>(done{}) : fail(std::move(ended.error()));
        },
        [this](check_slurm) { return slurm_.check(); },
        [this](const read_slurm_end& what) { return slurm_.end_of(what.id); },
    };
  }

private:
  runners::slurm_client slurm_;
};

} // namespace

slurm_gate_actor spawn_slurm_gate(caf::actor_system& system, config::slurm_settings where,
                                  std::shared_ptr<const std::atomic<bool>> ending) {
  return spawn<slurm_gate_state, caf::detached>(system, std::move(where), std::move(ending));
}

} // namespace ferry::actors
