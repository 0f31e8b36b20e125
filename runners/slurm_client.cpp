#include "runners/slurm_client.hpp"

#include "runners/program_call.hpp"

#include <array>
#include <cstdlib>
#include <unistd.h>

namespace ferry::runners {
namespace {

// What Slurm's programs need of the daemon's environment. The rest would travel with every batch, secrets and all.
std::vector<std::string> environment() {
  std::vector<std::string> all{"LC_ALL=C"};
  for (const char* name : {"PATH", "HOME", "USER", "LOGNAME", "TZ", "SLURM_CONF", "SLURM_JWT", "KRB5CCNAME"})
    if (const char* value = std::getenv(name))
      all.push_back(std::string(name) + "=" + value);
  return all;
}

} // namespace

result<std::string> slurm_client::ask(std::vector<std::string> words) const {
  return call({.words = std::move(words), .environment = environment(), .abandoned = abandoned_});
}

result<std::int64_t> slurm_client::submit(const slurm_order& what) const {
  const auto printed = ask(sbatch_words(where_, what));
  return printed ? slurm_id_from(*printed) : fail(printed.error());
}

result<std::vector<slurm_job>> slurm_client::list() const {
  const auto printed = ask(squeue_words(::geteuid()));
  if (!printed)
    return fail(printed.error());
  return slurm_jobs_from(*printed);
}

result<void> slurm_client::end(std::int64_t id, bool kill) const {
  std::vector<std::string> words{"scancel", "--quiet"};
  if (!kill)
    words.insert(words.end(), {"--signal=TERM", "--batch"});
  words.push_back(std::to_string(id));
  const auto printed = ask(std::move(words));
  if (!printed)
    return fail(printed.error());
  return {};
}

result<std::string> slurm_client::check() const {
  const auto printed = ask({"sinfo", "--noheader", "--partition=" + where_.partition, "--format=%a"});
  if (!printed)
    return fail(printed.error());
  return partition_trouble(where_.partition, *printed);
}

result<std::string> slurm_client::end_of(std::int64_t id) const {
  const auto printed =
      ask({"sacct", "--noheader", "--parsable2", "--allocations", "--format=State", "--jobs=" + std::to_string(id)});
  if (!printed)
    return fail(printed.error());
  return slurm_state_from(*printed);
}

} // namespace ferry::runners
