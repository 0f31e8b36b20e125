// Decides what runs next on which device: keeps the ledger of leases, asks scheduling::choose_batch, and offers its free capacity
// to the queue as credit. Batches hold one job each for now; what is learned about batches will live here.
#pragma once

#include "actors/interfaces.hpp"

namespace ferry::actors {

// `devices` already holds the leases of adopted batches; new batches are numbered from `last_batch` + 1.
[[nodiscard]] batch_optimizer_actor spawn_batch_optimizer(caf::actor_system& system, queue_actor queue,
                                                          scheduling::device_ledger devices, batch_id last_batch,
                                                          std::shared_ptr<status_board> board);

} // namespace ferry::actors
