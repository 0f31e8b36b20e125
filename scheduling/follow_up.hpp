// Committing ahead: a worker whose batch is about to end is given its next one beforehand, so that it need not wait until that
// one's start is on disk. Pure.
//
// Who starts next is decided as choose_batch would if that worker were idle now, so nobody is passed by. What is committed can be
// overtaken no more, and joined by nobody: so it is only done for work that ends within `committed_ahead_max`, as far as is known,
// and where jobs may share a run only with batches that are full; and not behind one of whose jobs the next part is to come.
#pragma once

#include "scheduling/batch_decision.hpp"

#include <span>

namespace ferry::scheduling {

// A worker's batch and those that follow it are expected to take no longer than this, from now: what a user who looks on does not
// notice.
inline constexpr duration committed_ahead_max{100};
// That one worker has waiting for it.
inline constexpr std::size_t follow_ups_max = 16;

// How many batches could be committed ahead now, on all devices. A worker is given more when half of what it can have is gone, so
// that several starts share a commit.
[[nodiscard]] int follow_ups_on_offer(const device_ledger& devices, instant now);

// A batch whose lease follows another one; call it where choose_batch found nothing to start. `in_order` as there.
[[nodiscard]] std::optional<dispatch_batch> choose_follow_up(std::span<const candidate> in_order, const device_ledger& devices,
                                                             instant now);

} // namespace ferry::scheduling
