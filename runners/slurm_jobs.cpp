#include "runners/slurm_jobs.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace ferry::runners {
namespace {

std::optional<std::int64_t> number_from(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc{} && end == text.data() + text.size() && number > 0 ? std::optional{number} : std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// What stands before the separator; `rest` begins behind it.
std::string_view take_field(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const auto field = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(field);
}

std::string name_prefix(std::string_view data) { return "ferry-" + std::string(data) + "-"; }

constexpr std::array waiting_states{"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD"};
constexpr std::array ended_states{"COMPLETED",     "FAILED",    "CANCELLED", "TIMEOUT",   "DEADLINE",
                                  "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "REVOKED"};

template <class States>
bool is_among(const States& states, std::string_view state) {
  return std::find(states.begin(), states.end(), state) != states.end();
}

} // namespace

std::string slurm_name(std::string_view data, batch_id batch) { return name_prefix(data) + to_string(batch); }

std::optional<batch_id> batch_of_slurm_name(std::string_view data, std::string_view name) {
  const auto prefix = name_prefix(data);
  if (!name.starts_with(prefix))
    return std::nullopt;
  const auto number = number_from(name.substr(prefix.size()));
  return number ? std::optional(batch_id{*number}) : std::nullopt;
}

std::string slurm_time(std::int64_t ms) {
  const std::int64_t seconds = (ms + 999) / 1000;
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return std::to_string(seconds / 86'400) + "-" + two(seconds / 3'600 % 24) + ":" + two(seconds / 60 % 60) + ":" +
         two(seconds % 60);
}

std::vector<std::string> sbatch_words(const config::slurm_settings& where, const slurm_order& what) {
  // Nothing of what the job prints is Slurm's to write, and a batch that Slurm ended is the queue's to start again.
  std::vector<std::string> words{"sbatch",
                                 "--parsable",
                                 "--no-requeue",
                                 "--job-name=" + what.name,
                                 "--comment=" + what.comment,
                                 "--partition=" + where.partition,
                                 "--nodes=1",
                                 "--ntasks=1",
                                 "--cpus-per-task=" + std::to_string(what.cpus),
                                 "--output=/dev/null",
                                 "--error=/dev/null",
                                 "--chdir=/"};
  if (!where.gres.empty())
    words.push_back("--gres=" + where.gres);
  if (what.memory_mib > 0)
    words.push_back("--mem=" + std::to_string(what.memory_mib) + "M");
  if (where.time_limit.count() > 0)
    words.push_back("--time=" + slurm_time(where.time_limit.count()));
  words.insert(words.end(), where.extra.begin(), where.extra.end());
  words.insert(words.end(), what.command.begin(), what.command.end());
  return words;
}

result<std::int64_t> slurm_id_from(std::string_view printed) {
  std::string_view rest = trimmed(printed);
  const auto id = number_from(take_field(rest, ';'));
  if (!id)
    return fail(error_code::damaged, "sbatch printed no job id: " + std::string(trimmed(printed).substr(0, 200)));
  return *id;
}

// The name is last, for it alone may hold anything.
std::vector<std::string> squeue_words(unsigned user) {
  return {"squeue", "--noheader", "--user=" + std::to_string(user), "--states=all", "--format=%i|%T|%r|%N|%j"};
}

std::vector<slurm_job> slurm_jobs_from(std::string_view printed) {
  std::vector<slurm_job> jobs;
  while (!printed.empty()) {
    std::string_view line = take_field(printed, '\n');
    const auto id = number_from(take_field(line, '|'));
    slurm_job job;
    job.state = take_field(line, '|');
    job.reason = take_field(line, '|');
    job.nodes = take_field(line, '|');
    job.name = trimmed(line);
    if (!id || job.name.empty())
      continue;
    job.id = *id;
    if (job.reason == "None")
      job.reason.clear();
    jobs.push_back(std::move(job));
  }
  return jobs;
}

std::string slurm_state_from(std::string_view printed) {
  std::string_view line = take_field(printed, '\n');
  return std::string(take_field(line, ' '));
}

slurm_stage stage_of(std::string_view state) {
  if (is_among(waiting_states, state))
    return slurm_stage::waiting;
  return is_among(ended_states, state) ? slurm_stage::ended : slurm_stage::running;
}

std::string partition_trouble(std::string_view partition, std::string_view printed) {
  std::string_view rest = printed;
  const auto available = take_field(rest, '\n');
  if (available.empty())
    return "Slurm has no partition " + std::string(partition);
  return available == "up" ? std::string() : "Slurm's partition " + std::string(partition) + " is " + std::string(available);
}

} // namespace ferry::runners
