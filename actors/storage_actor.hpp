// The one writer. It commits whatever has arrived: the first fact of a group opens a transaction and posts flush_due behind all
// that is in the mailbox by then, so groups grow by themselves under load and a lone submit waits for nobody.
#pragma once

#include "actors/interfaces.hpp"

#include <memory>

namespace ferry::actors {

// Owns `store` on a thread of its own.
[[nodiscard]] storage_actor spawn_storage(caf::actor_system& system, std::shared_ptr<storage::job_store> store);

// Owns a read connection on a thread of its own: history pages never wait for the writer, nor it for them.
[[nodiscard]] history_actor spawn_history(caf::actor_system& system, std::shared_ptr<storage::job_reader> reader);

} // namespace ferry::actors
