// A ledger in virtual time: what takes a while in the daemon happens at once. For the simulator and for forecasts. Pure.
#pragma once

#include "config/job_type.hpp"
#include "scheduling/batch_decision.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace ferry::scheduling {

// The batch begins: the workers that make room are gone, its own is there. What it was granted.
lease carry_out(device_ledger& devices, batch_id batch, const dispatch_batch& chosen);

// Workers that were idle for as long as their type keeps them are gone; those of types that there are no more stay.
void end_expired_workers(device_ledger& devices, std::span<const config::job_type> types, instant now);

// The place of a device among the accounts; their number for one that is not there.
[[nodiscard]] std::size_t device_index(const device_ledger& devices, const std::string& id);

} // namespace ferry::scheduling
