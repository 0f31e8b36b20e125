// What programs on other machines say to the daemon, and what it answers: with those of nodes (node_messages.hpp) the only messages
// that leave the process. Plain values,
// written by CAF's binary serializer over mutual TLS; the numbers of their types (below) are part of the protocol: append only.
//
// A peer says hello first: daemons and clients of another protocol version refuse each other by name instead of reading garbage.
// Nothing is pushed: who follows events asks for the next ones, and at most one answer is on its way to each reader.
#pragma once

#include "remote/node_messages.hpp"
#include "remote/refusal.hpp"
#include "remote/values.hpp"

#include <caf/result.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ferry::remote {

// Raised with every change of a message below.
inline constexpr std::uint32_t protocol_version = 2;
// Both sides must agree on them before they exchange anything else: the program, this protocol, and CAF's own version.
[[nodiscard]] std::vector<std::string> application_identifiers();

// ---- messages ---------------------------------------------------------------------------------------------------------------

struct hello {
  std::uint32_t protocol = protocol_version;
};
struct welcome {
  std::uint32_t protocol = protocol_version;
  std::string daemon; // its version
};

struct submit_jobs {
  std::vector<job_description> jobs; // all, or none of them
  std::string key;                   // the same key again is answered with what the first one made
};
struct jobs_accepted {
  std::vector<std::int64_t> ids; // in the order of the request
};

struct read_job {
  std::int64_t id = 0;
};
// Answered when the job has ended, or after `wait_ms` (at most limits::wait_seconds_max) with what it is then.
struct await_job {
  std::int64_t id = 0;
  std::int64_t wait_ms = 0;
};

struct cancel_job {
  std::int64_t id = 0;
  bool only_queued = false; // what runs by now goes on, and the answer is a refusal: conflict
};
struct accepted {};

// Answered as soon as there is anything after the cursors, else after `wait_ms`. Without cursors: what comes from now on.
struct read_events {
  std::optional<std::uint64_t> after, after_progress;
  std::int64_t job = 0; // 0: of all jobs
  std::int64_t wait_ms = 0;
};
struct events {
  std::uint64_t after = 0, after_progress = 0; // to be sent with the next request
  std::string missed;                          // not empty: changes were lost, and why; read again what matters
  std::vector<job_change> jobs;                // oldest first
  std::vector<progress_event> progress;        // the newest of each job
};

struct look_due {}; // the gateway's own

// ---- on the wire ------------------------------------------------------------------------------------------------------------

template <class Inspector>
bool inspect(Inspector& f, hello& x) {
  return f.object(x).fields(f.field("protocol", x.protocol));
}
template <class Inspector>
bool inspect(Inspector& f, welcome& x) {
  return f.object(x).fields(f.field("protocol", x.protocol), f.field("daemon", x.daemon));
}
template <class Inspector>
bool inspect(Inspector& f, job_description& x) {
  return f.object(x).fields(f.field("type", x.type), f.field("params", x.params), f.field("priority", x.priority),
                            f.field("name", x.name), f.field("held", x.held), f.field("delay_ms", x.delay_ms),
                            f.field("base_dir", x.base_dir), f.field("needs", x.needs),
                            f.field("on_needs_failure", x.on_needs_failure), f.field("group", x.group),
                            f.field("unique_key", x.unique_key), f.field("user", x.user), f.field("on", x.on));
}
template <class Inspector>
bool inspect(Inspector& f, submit_jobs& x) {
  return f.object(x).fields(f.field("jobs", x.jobs), f.field("key", x.key));
}
template <class Inspector>
bool inspect(Inspector& f, jobs_accepted& x) {
  return f.object(x).fields(f.field("ids", x.ids));
}
template <class Inspector>
bool inspect(Inspector& f, read_job& x) {
  return f.object(x).fields(f.field("id", x.id));
}
template <class Inspector>
bool inspect(Inspector& f, await_job& x) {
  return f.object(x).fields(f.field("id", x.id), f.field("wait_ms", x.wait_ms));
}
template <class Inspector>
bool inspect(Inspector& f, job_status& x) {
  return f.object(x).fields(
      f.field("id", x.id), f.field("type", x.type), f.field("name", x.name), f.field("user", x.user), f.field("state", x.state),
      f.field("phase", x.phase), f.field("held", x.held), f.field("waiting_for", x.waiting_for), f.field("position", x.position),
      f.field("expected_start_ms", x.expected_start_ms), f.field("created_ms", x.created_ms), f.field("started_ms", x.started_ms),
      f.field("finished_ms", x.finished_ms), f.field("fraction", x.fraction), f.field("batch", x.batch),
      f.field("device", x.device), f.field("attempts", x.attempts), f.field("failure_kind", x.failure_kind),
      f.field("failure", x.failure), f.field("result", x.result));
}
template <class Inspector>
bool inspect(Inspector& f, cancel_job& x) {
  return f.object(x).fields(f.field("id", x.id), f.field("only_queued", x.only_queued));
}
template <class Inspector>
bool inspect(Inspector& f, accepted& x) {
  return f.object(x).fields();
}
template <class Inspector>
bool inspect(Inspector& f, read_events& x) {
  return f.object(x).fields(f.field("after", x.after), f.field("after_progress", x.after_progress), f.field("job", x.job),
                            f.field("wait_ms", x.wait_ms));
}
template <class Inspector>
bool inspect(Inspector& f, job_change& x) {
  return f.object(x).fields(f.field("id", x.id), f.field("state", x.state), f.field("phase", x.phase), f.field("held", x.held),
                            f.field("batch", x.batch), f.field("device", x.device));
}
template <class Inspector>
bool inspect(Inspector& f, progress_event& x) {
  return f.object(x).fields(f.field("id", x.id), f.field("fraction", x.fraction), f.field("step", x.step),
                            f.field("total", x.total), f.field("message", x.message));
}
template <class Inspector>
bool inspect(Inspector& f, events& x) {
  return f.object(x).fields(f.field("after", x.after), f.field("after_progress", x.after_progress), f.field("missed", x.missed),
                            f.field("jobs", x.jobs), f.field("progress", x.progress));
}
template <class Inspector>
bool inspect(Inspector& f, look_due& x) {
  return f.object(x).fields();
}

// The one actor that a daemon publishes.
using gateway_actor =
    caf::typed_actor<caf::result<answer<welcome>>(hello), caf::result<answer<jobs_accepted>>(submit_jobs),
                     caf::result<answer<job_status>>(read_job), caf::result<answer<job_status>>(await_job),
                     caf::result<answer<accepted>>(cancel_job), caf::result<answer<events>>(read_events),
                     caf::result<void>(look_due),
                     // From nodes.
                     caf::result<answer<node::welcome>>(node::join), caf::result<answer<node::orders>>(node::await_orders),
                     caf::result<answer<node::acknowledged>>(node::report), caf::result<answer<node::piece_taken>>(node::piece),
                     caf::result<answer<node::fetched>>(node::fetch), caf::result<answer<node::acknowledged>>(node::leave)>;

// Must be called once, before the first actor_system exists.
void register_messages();

} // namespace ferry::remote

// clang-format off
// Far from the numbers of actors/type_ids.hpp, which change as those messages come and go.
CAF_BEGIN_TYPE_ID_BLOCK(ferry_remote, first_custom_type_id + 1000)
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::hello))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::welcome))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::refusal))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::job_description))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::submit_jobs))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::jobs_accepted))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::read_job))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::await_job))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::job_status))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::cancel_job))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::accepted))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::read_events))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::job_change))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::progress_event))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::events))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::look_due))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::answer<ferry::remote::welcome>))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::answer<ferry::remote::jobs_accepted>))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::answer<ferry::remote::job_status>))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::answer<ferry::remote::accepted>))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::answer<ferry::remote::events>))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::gateway_actor))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::join))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::welcome))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::run))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::adopt))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::stop))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::forget))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::end_workers))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::adopt_worker))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::await_orders))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::orders))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::began))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::progressed))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::noted))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::not_started))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::job_ended))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::batch_ended))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::freed))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::worker_left))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::sign))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::device_changed))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::report))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::acknowledged))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::piece))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::piece_taken))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::leave))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::fetch))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::node::fetched))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::answer<ferry::remote::node::fetched>))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::answer<ferry::remote::node::welcome>))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::answer<ferry::remote::node::orders>))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::answer<ferry::remote::node::acknowledged>))
CAF_ADD_TYPE_ID(ferry_remote, (ferry::remote::answer<ferry::remote::node::piece_taken>))
CAF_END_TYPE_ID_BLOCK(ferry_remote)
// clang-format on
