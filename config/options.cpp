#include "config/options.hpp"

#include "config/limits.hpp"

#include <stdexcept>
#include <type_traits>

namespace ferry::config {
namespace {

// How a field is shown as an option_value and set from one. Enumerators stand in the order of the declared choices.
template <class Field>
option_value value_of(const Field& field, const declaration& declared) {
  if constexpr (std::is_same_v<Field, bool>)
    return field;
  else if constexpr (std::is_enum_v<Field>)
    return std::string(declared.choices.at(static_cast<std::size_t>(field)));
  else if constexpr (std::is_integral_v<Field>)
    return std::int64_t{field};
  else if constexpr (std::is_same_v<Field, std::filesystem::path>)
    return field.string();
  else if constexpr (requires {
                       field.count();
                       typename Field::period;
                     })
    return std::chrono::duration_cast<std::chrono::milliseconds>(field).count();
  else
    return field;
}

template <class Field>
void assign(Field& field, const option_value& value, const declaration& declared) {
  if constexpr (std::is_same_v<Field, bool>) {
    field = std::get<bool>(value);
  } else if constexpr (std::is_enum_v<Field>) {
    for (std::size_t i = 0; i < declared.choices.size(); ++i)
      if (declared.choices[i] == std::get<std::string>(value))
        field = static_cast<Field>(i);
  } else if constexpr (std::is_integral_v<Field>) {
    field = static_cast<Field>(std::get<std::int64_t>(value));
  } else if constexpr (std::is_same_v<Field, std::filesystem::path>) {
    field = std::get<std::string>(value);
  } else if constexpr (requires {
                         field.count();
                         typename Field::period;
                       }) {
    field = std::chrono::duration_cast<Field>(std::chrono::milliseconds(std::get<std::int64_t>(value)));
  } else {
    field = std::get<Field>(value);
  }
}

// `at` leads from the target to the field's address.
template <class Target, class Accessor>
option<Target> bound(declaration declared, Accessor at) {
  // Accessors hand out mutable pointers; here the field is only read.
  const auto get = [at, declared](const Target& target) { return value_of(*at(const_cast<Target&>(target)), declared); };
  const auto set = [at, declared](Target& target, const option_value& value) { assign(*at(target), value, declared); };
  return {std::move(declared), get, set};
}

option<settings> setting(declaration declared, auto at) { return bound<settings>(std::move(declared), at); }
option<job_type> type_key(declaration declared, auto at) { return bound<job_type>(std::move(declared), at); }

constexpr std::int64_t second_ms = 1000;

declaration one_of(std::string_view key, std::string_view comment, std::vector<std::string_view> choices) {
  return {key, option_kind::choice, comment, 0, 0, 1, std::move(choices)};
}

std::vector<option<settings>> declare_places() {
  using enum option_kind;
  return {
      setting({"storage.data_dir", path,
               "Where jobs, logs and results are kept. Empty: $XDG_DATA_HOME/ferry, else ~/.local/share/ferry."},
              [](settings& s) { return &s.storage.data_dir; }),
      setting(one_of("storage.durability",
                     "\"full\": what was acknowledged survives a power cut. \"normal\": it survives a crash of ferry, but a power\n"
                     "cut may cost the last moments.",
                     {"full", "normal"}),
              [](settings& s) { return &s.storage.durability; }),
      setting({"storage.free_mib_min", integer,
               "Room in the data directory, in MiB, below which nothing new is started. 0: start until the disk is full.", 0,
               limits::memory_mib_max},
              [](settings& s) { return &s.storage.free_mib_min; }),
      setting({"storage.check_at_start", boolean,
               "A full integrity check of the database at each start; a quick check of its structure is always made."},
              [](settings& s) { return &s.storage.check_at_start; }),
      setting({"http.socket", path,
               "The Unix socket of the API (mode 0600), at most 107 bytes long. Empty: $FERRY_SOCKET, else\n"
               "$XDG_RUNTIME_DIR/ferry.sock, else ferry.sock in the data directory."},
              [](settings& s) { return &s.http.socket; }),
  };
}

std::vector<option<settings>> declare_serving() {
  using enum option_kind;
  const auto timeout = [](std::string_view key, std::string_view comment) {
    return declaration{key, duration, comment, limits::http_timeout_ms_min, limits::http_timeout_ms_max};
  };
  return {
      setting({"http.connections_max", integer, "Connections that are served at once: to the socket, and as many over TCP.", 1,
               limits::connections_max},
              [](settings& s) { return &s.http.connections_max; }),
      setting(timeout("http.timeouts.idle", "How long a connection may wait before it sends its next request."),
              [](settings& s) { return &s.http.timeouts.idle; }),
      setting(timeout("http.timeouts.header", "How long a request's header may take from its first byte on; also a TLS handshake."),
              [](settings& s) { return &s.http.timeouts.header; }),
      setting(timeout("http.timeouts.body", "How long a request's body may take; of an upload each 256 KiB of it."),
              [](settings& s) { return &s.http.timeouts.body; }),
      setting(timeout("http.timeouts.answer", "How long a peer may take to read an answer; of a long one each piece of it."),
              [](settings& s) { return &s.http.timeouts.answer; }),
      setting(
          {"http.tcp.listen", text,
           "Where the page and the API are served over TCP, for those with a token (`ferry ui` opens the page): an address such\n"
           "as \"127.0.0.1:7878\", of loopback unless there is a certificate. \"auto\": that address, unless another program has "
           "it. Empty: no TCP."},
          [](settings& s) { return &s.http.tcp.listen; }),
      setting(
          {"http.tcp.certificate", path,
           "With this and the key, TCP is served by TLS and may listen off loopback: a PEM file, the certificates of its issuers\n"
           "behind it. Its names are among those that requests may be sent to. Read at the start."},
          [](settings& s) { return &s.http.tcp.certificate; }),
      setting({"http.tcp.key", path, "The key of that certificate: a PEM file without a passphrase."},
              [](settings& s) { return &s.http.tcp.key; }),
      setting({"http.tcp.hosts", text_list,
               "Further names under which requests may reach it, where a proxy or a tunnel passes them on: [\"gpu.example.org\"].\n"
               "Requests to other names than these, localhost and loopback addresses are refused."},
              [](settings& s) { return &s.http.tcp.hosts; }),
      setting({"http.tcp.token_file", path,
               "The file with the token that TCP asks for; made with mode 0600 when missing. Empty: token in the data directory."},
              [](settings& s) { return &s.http.tcp.token_file; }),
      setting({"uploads.max_file_mib", integer, "The largest file that may be uploaded, in MiB.", 1, limits::memory_mib_max},
              [](settings& s) { return &s.uploads.max_file_mib; }),
      setting({"uploads.max_total_mib", integer,
               "Inputs, datasets and uploads that are not finished may take so much of the data directory, in MiB.", 1,
               limits::memory_mib_max},
              [](settings& s) { return &s.uploads.max_total_mib; }),
  };
}

std::vector<option<settings>> declare_node() {
  using enum option_kind;
  return {
      setting({"node.listen", text,
               "Where programs on other machines (ferry::client) are let in, by mutual TLS: an address such as \"0.0.0.0:7879\".\n"
               "Empty: none are."},
              [](settings& s) { return &s.node.listen; }),
      setting({"node.join", text,
               "The head that this machine lends its devices to, such as \"head.example:7879\": then it has no queue and no page "
               "of its\n"
               "own, and runs what the head gives it, of the job types that are declared here. Empty: it has a queue of its own."},
              [](settings& s) { return &s.node.join; }),
      setting({"node.name", text, "What the head calls this machine. Empty: its host name."},
              [](settings& s) { return &s.node.name; }),
      setting(
          {"node.heartbeat", duration, "How often a node and its head hear of each other at least. Set on the head.", 10, 60'000},
          [](settings& s) { return &s.node.heartbeat; }),
      setting({"node.silent_after", duration,
               "A node that is not heard of for so long, beyond its heartbeat, counts as not there: nothing new is started on it.",
               100, 600'000},
              [](settings& s) { return &s.node.silent_after; }),
      setting({"node.lease", duration,
               "For how long a node that does not reach its head may go on with what it runs; then it ends that, and the head "
               "starts it\n"
               "elsewhere. Set on the head.",
               1'000, 7LL * 24 * 3600 * 1000},
              [](settings& s) { return &s.node.lease; }),
      setting({"node.cache_mib", integer,
               "On a node: how much of what jobs read, brought from the head, is kept for the next ones, in MiB.", 1,
               limits::memory_mib_max},
              [](settings& s) { return &s.node.cache_mib; }),
      setting({"node.certificate", path, "Who this machine is to others: a PEM file, as `ferry certs issue NAME` makes it."},
              [](settings& s) { return &s.node.certificate; }),
      setting({"node.key", path, "The key of that certificate."}, [](settings& s) { return &s.node.key; }),
      setting({"node.ca", path, "The authority: whoever has a certificate of it may do everything."},
              [](settings& s) { return &s.node.ca; }),
  };
}

std::vector<option<settings>> declare_devices() {
  using enum option_kind;
  return {
      setting(
          {"paths.shared", text_list,
           "Folders that this machine and all its nodes see under the same path, by a shared file system: what a job reads below\n"
           "them is not brought to its node."},
          [](settings& s) { return &s.paths.shared; }),
      setting({"devices.cpu.slots", integer,
               "How many batches may run on the host CPU at once. 0: one for two cores, at least one.", 0,
               limits::device_slots_max},
              [](settings& s) { return &s.devices.cpu.slots; }),
      setting({"devices.cpu.memory_mib", integer, "Host memory, in MiB, that jobs may reserve. 0: the machine's memory.", 0,
               limits::memory_mib_max},
              [](settings& s) { return &s.devices.cpu.memory_mib; }),
      setting({"devices.cpu.threads", integer,
               "Host threads for jobs: the slots of the CPU share them, and so do the GPUs. 0: the usable cores.", 0,
               limits::device_threads_max},
              [](settings& s) { return &s.devices.cpu.threads; }),
      setting({"devices.gpu.enabled", boolean, "Whether GPUs are looked for."}, [](settings& s) { return &s.devices.gpu.enabled; }),
      setting({"devices.gpu.slots", integer, "How many batches may run on each GPU at once.", 1, limits::device_slots_max},
              [](settings& s) { return &s.devices.gpu.slots; }),
      setting({"devices.gpu.memory_reserve_mib", integer,
               "Memory of each GPU, in MiB, that no job may reserve: for the driver and the desktop.", 0, limits::memory_mib_max},
              [](settings& s) { return &s.devices.gpu.memory_reserve_mib; }),
      setting({"devices.gpu.nvml_library", text,
               "The NVIDIA management library: a name that the loader finds, or a path. Empty: libnvidia-ml.so.1."},
              [](settings& s) { return &s.devices.gpu.nvml_library; }),
      setting({"devices.labels", text_map,
               "What jobs may ask for with `ferry submit --on NAME=VALUE`, beside gpu, node and device, which every device has:\n"
               "{ room = \"lab\" }. All devices of this machine have these."},
              [](settings& s) { return &s.devices.labels; }),
      setting({"queue.aging", duration,
               "A job that has waited so long since it could start counts 10 priority points more, and again with each such time,\n"
               "up to 100: so a stream of more important jobs does not starve it. \"0s\": never.",
               0, limits::run_seconds_max * second_ms, second_ms},
              [](settings& s) { return &s.queue.aging; }),
      setting({"queue.fair_share.window", duration,
               "Within a priority users take turns, so that each gets its share of the devices' time; who used them less in this\n"
               "time comes first. \"0s\": jobs start in the order they came, whoever submitted them.",
               0, limits::run_seconds_max * second_ms, second_ms},
              [](settings& s) { return &s.queue.fair_share.window; }),
      setting({"queue.fair_share.weights", number_map,
               "Users that get more than others, or less: { \"ada\" = 2.0 } gives her twice the share of those who are not named.",
               0, limits::user_weight_max},
              [](settings& s) { return &s.queue.fair_share.weights; }),
      setting({"queue.fair_share.tier_weights", number_map,
               "Tiers that share the devices by these weights, instead of the higher coming first and taking the devices of\n"
               "preemptible ones: { \"0\" = 1.0, \"2\" = 4.0 }. Those not named weigh 1. Empty: the higher tier comes first.",
               0, limits::user_weight_max},
              [](settings& s) { return &s.queue.fair_share.tier_weights; }),
      setting({"runs.shims_ready", integer, "Supervisor processes started ahead of need, so that a job starts sooner.", 0,
               limits::shims_ready_max},
              [](settings& s) { return &s.runs.shims_ready; }),
      setting({"runs.quarantine_after", integer,
               "A job in whose start the daemon or its supervisor died so often is held. 0: never.", 0,
               limits::quarantine_after_max},
              [](settings& s) { return &s.runs.quarantine_after; }),
      setting({"runs.audit_interval", duration,
               "How often what runs is compared on disk, in memory and in the process table, and differences are healed.",
               limits::audit_interval_ms_min, limits::audit_interval_ms_max, second_ms},
              [](settings& s) { return &s.runs.audit_interval; }),
      setting(one_of("log.level", "What ferryd logs: this and what is more serious.", {"trace", "debug", "info", "warn", "error"}),
              [](settings& s) { return &s.log.level; }),
      setting({"log.file", path, "The log file. Empty: standard error."}, [](settings& s) { return &s.log.file; }),
  };
}

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

const std::vector<option<settings>>& options() {
  static const std::vector<option<settings>> declared = [] {
    std::vector<option<settings>> all = declare_places();
    for (auto* declare : {declare_serving, declare_node, declare_devices})
      for (auto& more : declare())
        all.push_back(std::move(more));
    return all;
  }();
  return declared;
}

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
