#include "config/option_binding.hpp"

#include "config/limits.hpp"

namespace ferry::config {
namespace {

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
  };
}

std::vector<option<settings>> declare_slurm() {
  using enum option_kind;
  return {
      setting(
          {"devices.slurm.partition", text,
           "The partition of a Slurm cluster that batches are given to as well, by sbatch, from a data directory that its nodes "
           "see\n"
           "under the same path (docs/slurm.md). Empty: none are."},
          [](settings& s) { return &s.devices.slurm.partition; }),
      setting({"devices.slurm.gres", text, "What each batch asks for there: \"gpu:1\". Empty: nothing, so that it has no GPU."},
              [](settings& s) { return &s.devices.slurm.gres; }),
      setting({"devices.slurm.slots", integer, "How many batches Slurm may have at once; those that wait in its queue count.", 1,
               limits::device_slots_max},
              [](settings& s) { return &s.devices.slurm.slots; }),
      setting({"devices.slurm.memory_mib", integer,
               "Memory, in MiB, that one batch may ask for. What it asks for goes to Slurm as --mem.", 1,
               limits::slurm_memory_mib_max},
              [](settings& s) { return &s.devices.slurm.memory_mib; }),
      setting({"devices.slurm.cpus", integer, "Host threads for each slot that a batch takes (--cpus-per-task).", 1,
               limits::device_threads_max},
              [](settings& s) { return &s.devices.slurm.cpus; }),
      setting({"devices.slurm.time_limit", duration, "After which Slurm ends a batch (--time). \"0s\": the partition's limit.", 0,
               limits::run_seconds_max * second_ms, second_ms},
              [](settings& s) { return &s.devices.slurm.time_limit; }),
      setting({"devices.slurm.extra", text_list, "Further options of sbatch: [\"--account=vision\", \"--qos=low\"]."},
              [](settings& s) { return &s.devices.slurm.extra; }),
      setting({"devices.slurm.job_types", text_list,
               "The job types that may run there. Empty: all that have a process of their own (runner = \"process\")."},
              [](settings& s) { return &s.devices.slurm.job_types; }),
      setting({"devices.slurm.poll", duration, "How often it is looked what runs there has written, and what Slurm says of it.",
               100, 600'000},
              [](settings& s) { return &s.devices.slurm.poll; }),
  };
}

std::vector<option<settings>> declare_queue() {
  using enum option_kind;
  return {
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

} // namespace

const std::vector<option<settings>>& options() {
  static const std::vector<option<settings>> declared = [] {
    std::vector<option<settings>> all = declare_places();
    for (auto* declare : {declare_serving, declare_node, declare_devices, declare_slurm, declare_queue})
      for (auto& more : declare())
        all.push_back(std::move(more));
    return all;
  }();
  return declared;
}

} // namespace ferry::config
