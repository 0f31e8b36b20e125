// Idempotency keys of submits: a request that is sent again under its key makes no second jobs. Keys are kept for seven days.
#pragma once

#include "model/facts.hpp"
#include "storage/job_store.hpp"
#include "storage/statements.hpp"

#include <optional>
#include <vector>

namespace ferry::storage {

inline constexpr duration submission_kept = std::chrono::hours{7 * 24};

// The jobs that an earlier submit under this key made, or none when there was no such submit.
// Errors: conflict (the key was used for another request).
[[nodiscard]] result<std::vector<job_id>> find_submission(statement_cache& statements, const submission& from);

void store_submission(statement_cache& statements, const submission& from, const std::vector<job_id>& jobs, instant at);

// Forgets at most `limit` keys that are older than submission_kept.
void prune_submissions(statement_cache& statements, instant now, std::size_t limit);

} // namespace ferry::storage
