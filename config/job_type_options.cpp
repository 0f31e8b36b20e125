#include "config/option_binding.hpp"

#include "config/limits.hpp"

namespace ferry::config {
namespace {

std::vector<option<job_type>> declare_job_type() {
  using enum option_kind;
  return {
      type_key({"description", text, "One line for people."}, [](job_type& t) { return &t.description; }),
      type_key(one_of("runner",
                      "\"process\": one process a batch. \"worker\": a process that stays, with its model loaded, and speaks\n"
                      "docs/worker_protocol.md.",
                      {"process", "worker"}),
               [](job_type& t) { return &t.runner; }),
      type_key(
          {"command", text_list,
           "The program and its arguments, one a word; no shell. Required. Placeholders: {spec} (path of spec.json),\n"
           "{dir} (the job's directory), {config_dir} (the folder of this file), {job_id}, {batch_id}, {device}, {threads}, "
           "{memory_mib} (leased to it; 0: all),\n"
           "{params.<dotted path>}; and alone in its word {params.<path>...}, one word an element. {{ and }} are literal braces."},
          [](job_type& t) { return &t.command; }),
      type_key({"shell", boolean, "Run command[0], the only word, with /bin/sh -c; placeholders are quoted for it."},
               [](job_type& t) { return &t.shell; }),
      type_key(one_of("device", "\"auto\": a GPU where the machine has one, else the CPU.", {"auto", "gpu", "cpu"}),
               [](job_type& t) { return &t.device; }),
      type_key({"slots", integer, "Slots of the device that it takes while it runs.", 1, limits::device_slots_max},
               [](job_type& t) { return &t.slots; }),
      type_key({"memory_mib", integer, "Memory of the device, in MiB, that it reserves while it runs. 0: none.", 0,
                limits::memory_mib_max},
               [](job_type& t) { return &t.memory_mib; }),
      type_key({"threads", integer, "OMP_NUM_THREADS and its relatives. 0: its slots' share of the device's threads.", 0,
                limits::device_threads_max},
               [](job_type& t) { return &t.threads; }),
      type_key(
          {"environment", text_map,
           "Environment variables. Of ferryd's own, jobs see PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_ALL, TMPDIR, TZ and those "
           "named\n"
           "below."},
          [](job_type& t) { return &t.environment; }),
      type_key({"inherit_environment", text_list, "Names of variables taken over from ferryd's environment."},
               [](job_type& t) { return &t.inherit_environment; }),
      type_key({"grace", duration, "Between asking a run to stop (TERM) and ending it (KILL).", 0, limits::grace_ms_max},
               [](job_type& t) { return &t.grace; }),
      type_key({"tier", integer,
                "Jobs of a higher tier come before those of a lower one, whatever their priority, and may take the devices of\n"
                "preemptible ones.",
                0, limits::tier_max},
               [](job_type& t) { return &t.tier; }),
      type_key(
          {"preemptible", boolean,
           "Gives its device to a job of a higher tier (TERM, grace, KILL) and is queued again, to be continued from its newest\n"
           "checkpoint."},
          [](job_type& t) { return &t.preemptible; }),
      type_key({"survive_partition", boolean,
                "On a node that does not reach its head it goes on without end, and starts nowhere else before the node is back or "
                "removed.\n"
                "Else it is ended when the node's lease is over."},
               [](job_type& t) { return &t.survive_partition; }),
      type_key({"checkpoint_files", text,
                "A pattern of paths below the job's directory, such as \"outputs/*/checkpoint-*.pt\": the newest is what the next\n"
                "attempt is given as $FERRY_RESUME_FROM. Empty: only what a job announces as a checkpoint."},
               [](job_type& t) { return &t.checkpoint_files; }),
      type_key({"resume_arguments", text_list,
                "Added to the command of an attempt that continues; {checkpoint} is the path of the checkpoint."},
               [](job_type& t) { return &t.resume_arguments; }),
      type_key(one_of("progress",
                      "What tells how far it is: \"events\" (JSON lines in $FERRY_EVENTS), \"tqdm\" bars, \"ffmpeg\" (-progress),\n"
                      "\"pattern\" (below), \"none\"; \"auto\" understands all but patterns.",
                      {"auto", "events", "tqdm", "ffmpeg", "pattern", "none"}),
               [](job_type& t) { return &t.progress; }),
      type_key({"progress_pattern", text,
                "A regular expression matched against each line of output: one group is a fraction or a percentage, two are step\n"
                "and total."},
               [](job_type& t) { return &t.progress_pattern; }),
      type_key({"failure_storm", integer,
                "So many jobs that failed one after the other, none completing between them, hold the type. 0: never.", 0,
                limits::failure_storm_max},
               [](job_type& t) { return &t.failure_storm; }),
      type_key({"failure_storm_window", duration, "Within which time they must have failed.", second_ms,
                limits::run_seconds_max * second_ms, second_ms},
               [](job_type& t) { return &t.failure_storm_window; }),
      option<job_type>{
          {"parameters", schema,
           "The parameters as a JSON Schema (draft 7) written as a table; defaults are filled in and what it does not name is\n"
           "refused. Absent: any parameters are taken as they are."},
          {},
          {}},
  };
}

std::vector<option<job_type>> declare_batching() {
  using enum option_kind;
  return {
      type_key({"warm_key", text_list,
                "Of a worker: the parameters, by dotted path, that its model depends on. It serves only jobs that agree in them;\n"
                "{params.<path>} in the command may name these."},
               [](job_type& t) { return &t.worker.warm_key; }),
      type_key({"keep_alive", duration, "How long a worker stays without work.", 0, limits::run_seconds_max * second_ms},
               [](job_type& t) { return &t.worker.keep_alive; }),
      type_key({"ready_timeout", duration, "A worker that takes longer to load is ended.", second_ms,
                limits::run_seconds_max * second_ms},
               [](job_type& t) { return &t.worker.ready_timeout; }),
      type_key({"batch.max_items", integer, "How many items may run together; 1: every job alone.", 1, limits::batch_items_max},
               [](job_type& t) { return &t.batch.max_items; }),
      type_key({"batch.same", text_list,
                "Parameters, by dotted path, that are equal in all jobs of a batch; a missing value equals its default."},
               [](job_type& t) { return &t.batch.same; }),
      type_key({"batch.within", number_map,
                "Parameters that may differ by so much between any two jobs of a batch: { \"weights.vis\" = 0.1 }.", 0,
                1'000'000'000},
               [](job_type& t) { return &t.batch.within; }),
      type_key({"batch.same_keys", text_list, "Objects that have the same keys, of values that are not 0, in all jobs of a batch."},
               [](job_type& t) { return &t.batch.same_keys; }),
      type_key({"batch.window", duration, "Jobs of a batch were submitted within this of each other. \"0s\": at any time.", 0,
                limits::run_seconds_max * second_ms},
               [](job_type& t) { return &t.batch.window; }),
      type_key(
          {"batch.items", text, "The parameter that tells how many items a job has: a list's length, or a number. Empty: one."},
          [](job_type& t) { return &t.batch.items; }),
      type_key(
          {"batch.split", boolean,
           "Where batch.items names a list: a job with more items than may run together runs in parts, one after the other, and\n"
           "has completed when all its items have. Each part sees its own items in that list, and has a directory of its own."},
          [](job_type& t) { return &t.batch.split; }),
      type_key({"batch.memory_mib_per_item", integer,
                "Memory of the device, in MiB, that each item of a batch takes beyond memory_mib.", 0, limits::memory_mib_max},
               [](job_type& t) { return &t.batch.memory_mib_per_item; }),
      type_key(
          {"estimate.parameters", text_list,
           "The parameters, by dotted path, that tell how long a job takes: steps, frames, a mode. A list counts by its length."},
          [](job_type& t) { return &t.estimate.parameters; }),
      type_key({"estimate.hints", text_list, "Parameters that matter a little, such as a prompt, by its length."},
               [](job_type& t) { return &t.estimate.hints; }),
      type_key({"batch.overtaking", duration,
                "How long after a job others may be submitted and still be served before it because they fit a batch or a warm\n"
                "worker better.",
                0, limits::run_seconds_max * second_ms},
               [](job_type& t) { return &t.batch.overtaking; }),
  };
}

std::vector<option<job_type>> declare_watching() {
  using enum option_kind;
  constexpr std::int64_t longest = limits::run_seconds_max * second_ms;
  const auto action = [](std::string_view key) { return one_of(key, "What is done then.", {"warn", "retry", "fail"}); };
  return {
      type_key({"max_run_time", duration, "A run that takes longer. \"0s\", here and below: no limit.", 0, longest, second_ms},
               [](job_type& t) { return &t.watch.max_run_time; }),
      type_key(action("on_max_run_time"), [](job_type& t) { return &t.watch.on_max_run_time; }),
      type_key({"max_start_time", duration, "A run that takes longer to its first sign of life: an event, progress or output.", 0,
                longest},
               [](job_type& t) { return &t.watch.max_start_time; }),
      type_key(action("on_max_start_time"), [](job_type& t) { return &t.watch.on_max_start_time; }),
      type_key({"heartbeat", duration, "A run that gives no sign of life for longer.", 0, longest},
               [](job_type& t) { return &t.watch.heartbeat; }),
      type_key(action("on_heartbeat"), [](job_type& t) { return &t.watch.on_heartbeat; }),
      type_key({"stall_factor", integer,
                "A run whose step takes more than so many times the median of its steps (and more than 10 seconds). 0: no limit.",
                0, limits::stall_factor_max},
               [](job_type& t) { return &t.watch.stall_factor; }),
      type_key(action("on_stall"), [](job_type& t) { return &t.watch.on_stall; }),
      type_key({"idle_gpu", duration, "A run that holds memory of a GPU and leaves it at 0% use for longer.", 0, longest},
               [](job_type& t) { return &t.watch.idle_gpu; }),
      type_key(action("on_idle_gpu"), [](job_type& t) { return &t.watch.on_idle_gpu; }),
      option<job_type>{
          {"metric_rules", text_list,
           "Rules on the metrics that a job reports with its progress: \"loss is nan: fail\", \"loss > 100 for 3: warn\"."},
          [](const job_type& t) {
            std::vector<std::string> texts;
            for (const metric_rule& rule : t.metric_rules)
              texts.push_back(rule.text);
            return option_value(texts);
          },
          [](job_type& t, const option_value& value) { // those that are no rules are reported by the loader
            t.metric_rules.clear();
            for (const std::string& text : std::get<std::vector<std::string>>(value))
              if (auto rule = parse_metric_rule(text))
                t.metric_rules.push_back(std::move(*rule));
          }},
  };
}

std::vector<option<job_type>> declare_retrying() {
  using enum option_kind;
  const auto count = [](std::string_view key, std::string_view comment) {
    return declaration{key, integer, comment, 0, limits::retries_max};
  };
  return {
      type_key(count("retry.exit_status",
                     "Automatic retries: so many a job may have had to be tried again after this failure. A status other than 0:"),
               [](job_type& t) { return &t.retry.exit_status; }),
      type_key(count("retry.signal", "A signal that ferry did not send."), [](job_type& t) { return &t.retry.signal; }),
      type_key(count("retry.oom", "Out of memory."), [](job_type& t) { return &t.retry.oom; }),
      type_key(count("retry.timeout", "A limit of the watchdog whose action is \"retry\"."),
               [](job_type& t) { return &t.retry.timeout; }),
      type_key(count("retry.lost", "Its supervisor vanished: a power cut, a reboot."), [](job_type& t) { return &t.retry.lost; }),
      type_key(count("retry.device", "Its device failed."), [](job_type& t) { return &t.retry.device; }),
      type_key(count("retry.transient", "It said itself that trying again may help."),
               [](job_type& t) { return &t.retry.transient; }),
      type_key(count("retry.metric", "A metric rule whose action is \"retry\"."), [](job_type& t) { return &t.retry.metric; }),
      type_key({"retry.delay", duration, "Before the first retry; it doubles with each, and varies by up to a fifth.", 0,
                limits::run_seconds_max * second_ms},
               [](job_type& t) { return &t.retry.delay; }),
      type_key({"retry.delay_max", duration, "At most.", 0, limits::run_seconds_max * second_ms},
               [](job_type& t) { return &t.retry.delay_max; }),
  };
}

} // namespace

const std::vector<option<job_type>>& job_type_options() {
  static const std::vector<option<job_type>> declared = [] {
    std::vector<option<job_type>> all = declare_job_type();
    for (auto& more : declare_batching())
      all.push_back(std::move(more));
    for (auto& more : declare_watching())
      all.push_back(std::move(more));
    for (auto& more : declare_retrying())
      all.push_back(std::move(more));
    return all;
  }();
  return declared;
}

} // namespace ferry::config
