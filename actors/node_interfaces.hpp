// The actors that speak to other machines, and their messages inside the daemon: on a head node_hub, on a node node_link and
// node_mirror. Included by interfaces.hpp, and by nobody else.
#pragma once

#include "remote/messages.hpp"

namespace ferry::actors {

// ---- node_hub: the executor of all devices that nodes lend, and whom these nodes speak to ---------------------------------------

struct node_view {
  std::string name, version, address;
  std::vector<device> devices; // named as on the node itself
  bool is_connected = false, is_drained = false;
  std::string trouble;                    // why nothing is started there; empty: it works
  std::optional<instant> heard = {};      // last, by this daemon
  std::optional<instant> lease_ends = {}; // until when it may run what it was given
  batch_ids runs;                         // that it was given
};
using node_list = std::vector<node_view>;
struct read_nodes {};
// Nothing new is started there until it is resumed; what runs goes on.
struct drain_node {
  std::string name;
  bool drained = true;
};
// Errors: conflict while it is connected or may still run something; `force` gives that up.
struct remove_node {
  std::string name;
  bool force = false;
};
struct nodes_due {}; // some may have fallen silent, or their leases ended

using node_hub_actor = gpu_executor_actor::extend<
    // From nodes, by way of the gateway.
    caf::result<remote::answer<remote::node::welcome>>(remote::node::join),
    caf::result<remote::answer<remote::node::orders>>(remote::node::await_orders),
    caf::result<remote::answer<remote::node::acknowledged>>(remote::node::report),
    caf::result<remote::answer<remote::node::piece_taken>>(remote::node::piece),
    caf::result<remote::answer<remote::node::fetched>>(remote::node::fetch),
    caf::result<remote::answer<remote::node::acknowledged>>(remote::node::leave),
    // From users.
    caf::result<node_list>(read_nodes), caf::result<result<done>>(drain_node), caf::result<result<done>>(remove_node),
    caf::result<void>(nodes_due)>;

// ---- node_link: a node's side -------------------------------------------------------------------------------------------------

struct look_at_devices_due {};

// Speaks to the head for one session, and hears the executors.
using node_link_actor =
    caf::typed_actor<caf::result<void>(batch_began), caf::result<void>(batch_progressed), caf::result<void>(batch_noted),
                     caf::result<void>(batch_not_started), caf::result<void>(job_over), caf::result<void>(batch_over),
                     caf::result<void>(slot_freed), caf::result<void>(worker_gone), caf::result<void>(batch_sign),
                     caf::result<void>(look_at_devices_due)>;

// Copy what grows in the directory of a run, as it grows.
struct follow_files {
  batch_id batch;
};
// Copy what these jobs have left; with `is_over` also the rest of what grows. Answered when the head has it.
struct copy_files {
  batch_id batch;
  std::vector<job_id> jobs;
  bool is_over = false;
};
// Copy this file of a run, which may be written anew later: a checkpoint.
struct copy_file {
  batch_id batch;
  std::string path; // below the run's directory
};
struct remove_files {
  batch_id batch;
};
struct copy_due {}; // something may have grown

// Brings files of runs to the head.
using node_mirror_actor =
    caf::typed_actor<caf::result<void>(follow_files), caf::result<done>(copy_files), caf::result<done>(copy_file),
                     caf::result<void>(remove_files), caf::result<void>(copy_due)>;

// Fetch these inputs of a batch, into the cache. Answered once they are there. Errors: of the node's disk, or of the head's;
// conflict when it was abandoned.
struct fetch_inputs {
  batch_id batch;
  std::vector<remote::node::input> inputs;
};
struct abandon_inputs {
  batch_id batch;
};
// Its run is over: they may make room for others.
struct release_inputs {
  batch_id batch;
};

// Brings what jobs read from the head.
using node_inputs_actor =
    caf::typed_actor<caf::result<result<done>>(fetch_inputs), caf::result<void>(abandon_inputs), caf::result<void>(release_inputs)>;

} // namespace ferry::actors
