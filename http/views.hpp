// Jobs, the queue and devices as the JSON of docs/api.md.
#pragma once

#include "actors/interfaces.hpp"

#include <filesystem>

namespace ferry::http {

// `brief`: a row of a list, without params and result.
[[nodiscard]] json job_json(const actors::job_view& job, bool brief, const std::filesystem::path& data_dir);
[[nodiscard]] json progress_json(const progress& how_far);
[[nodiscard]] json plan_json(const actors::planned_batch& batch);
[[nodiscard]] json explanation_json(const actors::explanation& what);
[[nodiscard]] json changes_json(const actors::start_changes& changes);
[[nodiscard]] json statistics_json(const actors::statistics& what);
// The answer to a submit.
[[nodiscard]] json submitted_json(const actors::submitted_job& job);
[[nodiscard]] json group_json(const actors::group_view& group);
[[nodiscard]] json counts_json(const actors::queue_counts& counts, bool with_finished);
// What it is, whatever it does.
[[nodiscard]] json device_json(const device& what);
// Also what it does, and the workers that stay on it.
[[nodiscard]] json device_json(const scheduling::device_ledger::account& account, const device_reading& reading,
                               const scheduling::device_ledger& ledger, const std::vector<config::job_type>& types);
[[nodiscard]] json node_json(const actors::node_view& node);
[[nodiscard]] json job_type_json(const config::job_type& type);

} // namespace ferry::http
