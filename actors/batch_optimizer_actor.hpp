// Decides what runs next on which device: keeps the ledger of leases, asks scheduling::choose_batch, and offers its free capacity
// to the queue as credit; ends workers that have been without work for longer than their type keeps them.
#pragma once

#include "actors/interfaces.hpp"

namespace ferry::actors {

// `devices` already holds the leases of adopted batches; new batches are numbered from `last_batch` + 1.
[[nodiscard]] batch_optimizer_actor spawn_batch_optimizer(caf::actor_system& system, queue_actor queue,
                                                          scheduling::device_ledger devices, batch_id last_batch,
                                                          std::shared_ptr<const config::settings> settings,
                                                          std::shared_ptr<status_board> board);

} // namespace ferry::actors
