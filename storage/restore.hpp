// Reading back what a new queue starts from.
#pragma once

#include "storage/fact_writer.hpp"
#include "storage/job_store.hpp"
#include "storage/statements.hpp"

#include <functional>

namespace ferry::storage {

// Streams the queued jobs in order; then what was running.
[[nodiscard]] restored restore_queue(statement_cache& statements, const queue_totals& totals,
                                     const std::function<void(const live_job&)>& visit);

} // namespace ferry::storage
