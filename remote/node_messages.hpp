// What a node and its head say to each other. The node asks and the head answers, never the other way round: the head sends
// nothing that was not asked for, so what is on its way is bounded by the node's requests (one of each kind at a time).
//
// A session begins with `join` and is over when either side says so, when a request fails, or when the head has not heard of the
// node for a while (scheduling/node_book.hpp). Each request but `join` carries the session, and is refused (conflict) when that is
// over: the node then joins anew. Every answer makes the node's lease longer.
#pragma once

#include "remote/inspect_model.hpp"
#include "remote/refusal.hpp"
#include "scheduling/node_lease.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ferry::remote::node {

using scheduling::session_number;

// A worker that lives on the node; its number is that of the batch it was started for.
struct worker {
  worker_id id;
  std::string device; // of the node: device::id there
};

struct join {
  std::uint32_t protocol = 0; // remote::protocol_version
  std::string version;        // of its ferry
  std::string name;           // [A-Za-z0-9][A-Za-z0-9_.-]*, at most limits::node_name_bytes_max bytes
  std::string id;             // of its data directory
  std::string head;           // the head that its runs are of; empty: none yet
  std::string address;        // where it believes to be, for people
  std::vector<device> devices;
  std::vector<std::string> job_types; // that it can run
  std::vector<batch_id> holds;        // runs that it has directories of
  std::vector<worker> workers;        // that live
};
struct welcome {
  session_number session = 0;
  std::string head;     // of this head's data directory
  duration lease{};     // from when the node sent the request that is answered
  duration heartbeat{}; // how long an `await_orders` may wait
};

// ---- orders: from the head --------------------------------------------------------------------------------------------------

// A file that a job reads, or one of a folder: runners/input_files.hpp.
struct input_file {
  std::string path; // below the input's root; empty: the root is this file
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
};
struct input {
  std::string root; // its absolute path on the head, as it stands in parameters or in a checkpoint
  std::vector<input_file> files;
};
struct run_job {
  job_id id;
  std::string params; // JSON text
  std::vector<checkpoint> checkpoints;
  job_part part;
};
struct run {
  batch_id batch;
  std::string type, device; // device::id there
  int slots = 1;
  std::int64_t memory_mib = 0;
  worker_id worker; // that runs it; none: a process of its own
  bool follows = false;
  bool starts_worker = false;
  std::uint64_t warm = 0;
  std::vector<worker_id> ends_workers; // that have to be gone before
  std::vector<run_job> jobs;
  std::vector<input> inputs;             // to be fetched before: what stands under their roots is read from the copy
  std::vector<std::string> input_params; // the parameters that name them, by dotted path
};
// Follow a run that the node has a directory of, and report its end if that is known.
struct adopt {
  batch_id batch;
  std::string type, device;
  std::vector<job_id> jobs;
};
struct stop {
  batch_id batch;
  std::string reason; // scheduling::to_text
  std::vector<job_id> jobs;
};
// Nothing of it counts any more: end what lives of it and remove its directory.
struct forget {
  batch_id batch;
};
struct end_workers {
  std::string device;
  std::vector<worker_id> workers;
};
struct adopt_worker {
  worker_id worker;
  std::string device;
};
using order = std::variant<run, adopt, stop, forget, end_workers, adopt_worker>;

// Answered as soon as there are orders, at latest after the heartbeat.
struct await_orders {
  std::string name;
  session_number session = 0;
};
struct orders {
  std::vector<order> all; // in order
};

// ---- reports: from the node -------------------------------------------------------------------------------------------------

struct began {
  batch_id batch;
};
struct progressed {
  batch_id batch;
  std::optional<job_id> job; // none: each of the batch
  progress how_far;
};
struct noted {
  batch_id batch;
  std::optional<job_id> job; // none: each of the batch
  run_note note;
};
struct not_started {
  batch_id batch;
  error why;
  bool crashed = false, is_trouble = true;
};
struct job_ended {
  batch_id batch;
  job_id job;
  scheduling::job_outcome outcome;
};
struct batch_ended {
  batch_id batch;
  std::vector<scheduling::job_outcome> outcomes; // one a job, in the order of the batch
};
// Its part of the device is free again.
struct freed {
  batch_id batch;
  bool worker_ended = false;
};
struct worker_left {
  worker_id worker;
};
// A run gave a sign of life.
struct sign {
  batch_id batch;
  instant at{};
  std::optional<progress> how_far;
};
// A device went out of service, or is back where `trouble` is empty.
struct device_changed {
  std::string device;
  std::string trouble;
  bool ends_runs = true; // what runs there is stopped
};
using event = std::variant<began, progressed, noted, not_started, job_ended, batch_ended, freed, worker_left, sign, device_changed>;

struct report {
  std::string name;
  session_number session = 0;
  std::vector<event> events; // in order
};
struct acknowledged {};

// ---- files of a run: from the node ------------------------------------------------------------------------------------------

// A piece of a file, at `offset` of what the head has of it. The last piece of a file says so; the head then has it on disk, under
// its name, before it answers. Logs grow: their pieces are never the last.
struct piece {
  std::string name;
  session_number session = 0;
  batch_id batch;
  std::string path; // below the run's directory: "output.log", "jobs/7/picture.png"
  std::uint64_t offset = 0;
  std::string bytes; // at most limits::node_piece_bytes_max
  bool is_last = false;
  std::int64_t modified_ns = 0; // of the file on the node: the copy of another version is replaced
};
// How much of the file the head has: where the next piece is to begin. It may be less or more than was sent, after a fault.
struct piece_taken {
  std::uint64_t bytes = 0;
};

// A piece of an input of a batch that the node was given.
struct fetch {
  std::string name;
  session_number session = 0;
  batch_id batch;
  std::string root, path;
  std::uint64_t offset = 0;
};
struct fetched {
  std::string bytes; // at most limits::node_piece_bytes_max
};

// The node stops in good order: its runs go on, and it will be back.
struct leave {
  std::string name;
  session_number session = 0;
};

// ---- on the wire ------------------------------------------------------------------------------------------------------------

template <class Inspector>
bool inspect(Inspector& f, worker& x) {
  return f.object(x).fields(f.field("id", x.id), f.field("device", x.device));
}
template <class Inspector>
bool inspect(Inspector& f, join& x) {
  return f.object(x).fields(f.field("protocol", x.protocol), f.field("version", x.version), f.field("name", x.name),
                            f.field("id", x.id), f.field("head", x.head), f.field("address", x.address),
                            f.field("devices", x.devices), f.field("job_types", x.job_types), f.field("holds", x.holds),
                            f.field("workers", x.workers));
}
template <class Inspector>
bool inspect(Inspector& f, welcome& x) {
  return f.object(x).fields(f.field("session", x.session), f.field("head", x.head), f.field("lease", x.lease),
                            f.field("heartbeat", x.heartbeat));
}
template <class Inspector>
bool inspect(Inspector& f, input_file& x) {
  return f.object(x).fields(f.field("path", x.path), f.field("bytes", x.bytes), f.field("modified_ns", x.modified_ns));
}
template <class Inspector>
bool inspect(Inspector& f, input& x) {
  return f.object(x).fields(f.field("root", x.root), f.field("files", x.files));
}
template <class Inspector>
bool inspect(Inspector& f, fetch& x) {
  return f.object(x).fields(f.field("name", x.name), f.field("session", x.session), f.field("batch", x.batch),
                            f.field("root", x.root), f.field("path", x.path), f.field("offset", x.offset));
}
template <class Inspector>
bool inspect(Inspector& f, fetched& x) {
  return f.object(x).fields(f.field("bytes", x.bytes));
}
template <class Inspector>
bool inspect(Inspector& f, run_job& x) {
  return f.object(x).fields(f.field("id", x.id), f.field("params", x.params), f.field("checkpoints", x.checkpoints),
                            f.field("part", x.part));
}
template <class Inspector>
bool inspect(Inspector& f, run& x) {
  return f.object(x).fields(f.field("batch", x.batch), f.field("type", x.type), f.field("device", x.device),
                            f.field("slots", x.slots), f.field("memory_mib", x.memory_mib), f.field("worker", x.worker),
                            f.field("follows", x.follows), f.field("starts_worker", x.starts_worker), f.field("warm", x.warm),
                            f.field("ends_workers", x.ends_workers), f.field("jobs", x.jobs), f.field("inputs", x.inputs),
                            f.field("input_params", x.input_params));
}
template <class Inspector>
bool inspect(Inspector& f, adopt& x) {
  return f.object(x).fields(f.field("batch", x.batch), f.field("type", x.type), f.field("device", x.device),
                            f.field("jobs", x.jobs));
}
template <class Inspector>
bool inspect(Inspector& f, stop& x) {
  return f.object(x).fields(f.field("batch", x.batch), f.field("reason", x.reason), f.field("jobs", x.jobs));
}
template <class Inspector>
bool inspect(Inspector& f, forget& x) {
  return f.object(x).fields(f.field("batch", x.batch));
}
template <class Inspector>
bool inspect(Inspector& f, end_workers& x) {
  return f.object(x).fields(f.field("device", x.device), f.field("workers", x.workers));
}
template <class Inspector>
bool inspect(Inspector& f, adopt_worker& x) {
  return f.object(x).fields(f.field("worker", x.worker), f.field("device", x.device));
}
template <class Inspector>
bool inspect(Inspector& f, await_orders& x) {
  return f.object(x).fields(f.field("name", x.name), f.field("session", x.session));
}
template <class Inspector>
bool inspect(Inspector& f, orders& x) {
  return f.object(x).fields(f.field("all", x.all));
}
template <class Inspector>
bool inspect(Inspector& f, began& x) {
  return f.object(x).fields(f.field("batch", x.batch));
}
template <class Inspector>
bool inspect(Inspector& f, progressed& x) {
  return f.object(x).fields(f.field("batch", x.batch), f.field("job", x.job), f.field("how_far", x.how_far));
}
template <class Inspector>
bool inspect(Inspector& f, noted& x) {
  return f.object(x).fields(f.field("batch", x.batch), f.field("job", x.job), f.field("note", x.note));
}
template <class Inspector>
bool inspect(Inspector& f, not_started& x) {
  return f.object(x).fields(f.field("batch", x.batch), f.field("why", x.why), f.field("crashed", x.crashed),
                            f.field("is_trouble", x.is_trouble));
}
template <class Inspector>
bool inspect(Inspector& f, job_ended& x) {
  return f.object(x).fields(f.field("batch", x.batch), f.field("job", x.job), f.field("outcome", x.outcome));
}
template <class Inspector>
bool inspect(Inspector& f, batch_ended& x) {
  return f.object(x).fields(f.field("batch", x.batch), f.field("outcomes", x.outcomes));
}
template <class Inspector>
bool inspect(Inspector& f, freed& x) {
  return f.object(x).fields(f.field("batch", x.batch), f.field("worker_ended", x.worker_ended));
}
template <class Inspector>
bool inspect(Inspector& f, worker_left& x) {
  return f.object(x).fields(f.field("worker", x.worker));
}
template <class Inspector>
bool inspect(Inspector& f, sign& x) {
  return f.object(x).fields(f.field("batch", x.batch), f.field("at", x.at), f.field("how_far", x.how_far));
}
template <class Inspector>
bool inspect(Inspector& f, device_changed& x) {
  return f.object(x).fields(f.field("device", x.device), f.field("trouble", x.trouble), f.field("ends_runs", x.ends_runs));
}
template <class Inspector>
bool inspect(Inspector& f, report& x) {
  return f.object(x).fields(f.field("name", x.name), f.field("session", x.session), f.field("events", x.events));
}
template <class Inspector>
bool inspect(Inspector& f, acknowledged& x) {
  return f.object(x).fields();
}
template <class Inspector>
bool inspect(Inspector& f, piece& x) {
  return f.object(x).fields(f.field("name", x.name), f.field("session", x.session), f.field("batch", x.batch),
                            f.field("path", x.path), f.field("offset", x.offset), f.field("bytes", x.bytes),
                            f.field("is_last", x.is_last), f.field("modified_ns", x.modified_ns));
}
template <class Inspector>
bool inspect(Inspector& f, piece_taken& x) {
  return f.object(x).fields(f.field("bytes", x.bytes));
}
template <class Inspector>
bool inspect(Inspector& f, leave& x) {
  return f.object(x).fields(f.field("name", x.name), f.field("session", x.session));
}

} // namespace ferry::remote::node
