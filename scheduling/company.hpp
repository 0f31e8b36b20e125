// Who runs together with the first job of a batch. Pure.
#pragma once

#include "scheduling/candidate.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ferry::scheduling {

inline constexpr std::size_t looked_at_max = 64; // of a group; those behind them come another time

// Of those behind `head`, in order, who joins it: of its group, each two within the tolerances and the window, together at most
// max_items items and as much memory as there is; suspects of a failed batch only with their like. Where all estimates are known,
// those are left out whose length would cost the others more than sharing saves: a batch lasts as long as its longest job alone,
// times 1 + marginal × (items − 1). The head is the first of the answer.
[[nodiscard]] std::vector<const candidate*> choose_company(const candidate& head, std::span<const candidate> behind,
                                                           std::int64_t memory_free_mib);

} // namespace ferry::scheduling
