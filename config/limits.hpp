// Every bound of ferry in one place (P9). What exceeds one is refused with an error that names it; nothing is clipped.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ferry::limits {

// Submitting
inline constexpr std::size_t queued_jobs_max = 2'000'000;
inline constexpr std::size_t jobs_per_request_max = 1'000;  // one bulk submit
inline constexpr std::size_t params_bytes_max = 256 * 1024; // one job's parameters as JSON
inline constexpr std::size_t name_bytes_max = 200;
inline constexpr std::size_t idempotency_key_bytes_max = 200;
inline constexpr std::size_t json_depth_max = 32;
inline constexpr std::int64_t delay_seconds_max = 366LL * 24 * 3600; // until a job may start
inline constexpr std::size_t needs_max = 64;                         // jobs that one job waits for

inline constexpr std::size_t named_groups_max = 1'000; // with jobs or settings, at once
inline constexpr std::size_t group_name_bytes_max = 100;
inline constexpr std::int64_t group_parallel_max = 100'000; // jobs of a group that run at once
inline constexpr std::size_t unique_key_bytes_max = 200;

// Devices that a job may ask for
inline constexpr std::size_t labels_max = 16; // of a device, and that a job names
inline constexpr std::size_t label_name_bytes_max = 63;
inline constexpr std::size_t label_value_bytes_max = 200;

// Users
inline constexpr std::size_t users_max = 10'000; // with jobs, at once
inline constexpr std::size_t user_name_bytes_max = 100;
inline constexpr double user_weight_min = 0.01;
inline constexpr int user_weight_max = 1'000;
inline constexpr std::int64_t unknown_job_ms = 60'000; // counted for a job of a type of which nothing was measured
inline constexpr std::int64_t job_cost_ms_max = 30LL * 24 * 3600 * 1000; // counted for one job, over its user's weight
// A user who used more lately than others begins at most so much of a device's time behind them.
inline constexpr std::int64_t use_debt_ms_max = 4LL * 3600 * 1000;

// HTTP
inline constexpr std::size_t request_body_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t request_header_bytes_max = 16 * 1024;
inline constexpr int connections_max = 16'384; // that http.connections_max may allow
inline constexpr std::int64_t http_timeout_ms_min = 10;
inline constexpr std::int64_t http_timeout_ms_max = 3'600'000;
inline constexpr std::size_t pem_file_bytes_max = 1024 * 1024; // a certificate with its chain, or a key
inline constexpr std::int64_t certificate_days_warned = 21;    // before it expires
inline constexpr std::size_t event_streams_max = 100;          // connections that follow events at once
inline constexpr std::size_t events_kept = 8'192;              // the latest, for readers that come back or are slow
inline constexpr std::size_t events_at_once_max = 2'000; // sent one by one; a reader that is further behind reads everything anew
inline constexpr std::size_t tokens_max = 100;           // beside that of the daemon's owner
inline constexpr std::size_t hosts_max = 100;            // names that the daemon answers to
inline constexpr std::size_t page_rows_max = 1'000;      // rows of one list request
inline constexpr std::size_t log_chunk_bytes_max = 1024 * 1024; // bytes of one log request
inline constexpr std::int64_t wait_seconds_max = 60;            // one long poll
inline constexpr std::size_t remote_readers_max = 1'000;        // requests for events, of other machines, that wait

// Nodes
inline constexpr std::size_t nodes_max = 100;
inline constexpr std::size_t node_name_bytes_max = 63;
inline constexpr std::size_t node_devices_max = 64;   // of one node, its MIG parts among them
inline constexpr std::size_t node_runs_max = 100'000; // that a node may have directories of
inline constexpr std::size_t node_events_per_report_max = 256;
inline constexpr std::size_t node_events_waiting_max = 20'000;   // on the node, for the head; beyond it the session begins anew
inline constexpr std::size_t node_orders_waiting_max = 10'000;   // on the head, for the node; likewise
inline constexpr std::size_t node_piece_bytes_max = 1024 * 1024; // of a file, on its way to the head
inline constexpr std::size_t node_path_bytes_max = 4'096;        // of a file of a run
inline constexpr std::size_t node_path_parts_max = 64;
inline constexpr std::size_t node_files_max = 200'000; // of one job, that are copied to the head

inline constexpr std::size_t page_rows_searched_max = 200'000; // looked at for one page, where name and state seldom meet

inline constexpr std::size_t queue_rows_searched_max = 200'000; // of the queue, for one page of jobs of a type or a user
inline constexpr std::size_t queue_names_searched_max = 10'000; // read from disk for one page, where a name is sought

// Configuration
inline constexpr std::size_t config_file_bytes_max = 4 * 1024 * 1024;
inline constexpr std::size_t job_types_max = 1'000;
inline constexpr int device_slots_max = 256;
inline constexpr int device_threads_max = 1'024;
inline constexpr std::int64_t memory_mib_max = 16'777'216;                              // 16 TiB
inline constexpr std::int64_t slurm_memory_mib_max = memory_mib_max / device_slots_max; // of one batch
inline constexpr std::int64_t run_seconds_max = 366LL * 24 * 3600;
inline constexpr std::int64_t grace_ms_max = 3'600'000;         // between TERM and KILL
inline constexpr std::size_t socket_path_bytes_max = 107;       // sun_path of sockaddr_un without its NUL
inline constexpr std::size_t config_text_bytes_max = 16 * 1024; // one text or path of the configuration
inline constexpr std::size_t problems_max = 100;                // named in one error
inline constexpr std::size_t schema_nodes_max = 10'000;         // of one parameter schema, its references expanded
inline constexpr std::size_t schema_depth_max = 64;
inline constexpr std::size_t pattern_text_characters_max = 4'096; // matched against a schema's pattern (std::regex recurses)
inline constexpr std::size_t member_name_bytes_max = 256;         // a name inside a job's parameters
inline constexpr std::size_t unique_items_max = 1'000;            // compared with each other

// Runs
inline constexpr std::size_t event_line_bytes_max = 64 * 1024;    // one line of events; longer ones are dropped and counted
inline constexpr std::size_t output_line_bytes_max = 4 * 1024;    // looked at for progress; the log itself is never cut
inline constexpr std::size_t result_bytes_max = 256 * 1024;       // one job's result as JSON
inline constexpr std::size_t worker_said_bytes_max = 1024 * 1024; // one line that a worker says
inline constexpr std::size_t artifacts_listed_max = 1'000;        // files of one job named in its result
inline constexpr int shims_ready_max = 64;
inline constexpr std::size_t metrics_max = 16; // numbers that one progress line may carry
inline constexpr std::size_t metric_name_bytes_max = 64;
inline constexpr std::size_t notes_per_attempt_max = 200;  // lines of history that one attempt may leave
inline constexpr std::size_t checkpoints_offered_max = 16; // newest first, to the next attempt
inline constexpr std::size_t checkpoint_files_searched_max = 100'000;
inline constexpr std::size_t checkpoint_path_bytes_max = 4'096;
inline constexpr int retries_max = 100; // of one job, by policy
inline constexpr int tier_max = 9;
inline constexpr int quarantine_after_max = 3; // two bits a queued job
inline constexpr std::int64_t audit_interval_ms_min = 1'000;
inline constexpr std::int64_t audit_interval_ms_max = 3'600'000;
inline constexpr int failure_storm_max = 10'000;
inline constexpr int stall_factor_max = 100'000;
inline constexpr std::size_t metric_rules_max = 32;      // of one job type
inline constexpr std::size_t counted_jobs_max = 100'000; // the newest, for figures of hours and days: about 0.1 s
inline constexpr std::size_t forecast_jobs_max = 10'000; // whose start is foreseen; those behind them start later
inline constexpr std::size_t features_kept_max = 10'000; // different jobs whose estimate follows what is learnt while they wait
inline constexpr int batch_items_max = 256;              // that may run together
inline constexpr std::size_t batch_paths_max = 64;       // parameters named by warm_key, or by one rule of batch

// What is learnt
inline constexpr std::size_t estimate_parameters_max = 64; // named by one rule of estimate
inline constexpr std::size_t estimate_keys_max = 4'096;    // of one kind that an estimator remembers; the least recently used goes
inline constexpr std::size_t batch_keys_max = 4'096;       // whose batches a type remembers; the least recently used goes
inline constexpr std::size_t memory_sizes_max = 16;        // batch sizes of one key whose memory is remembered

// Certificates of nodes
inline constexpr std::size_t certificate_name_bytes_max = 64;        // X.509's bound of a common name
inline constexpr std::size_t certificate_file_bytes_max = 64 * 1024; // certificates or a key in PEM
inline constexpr std::size_t certificate_hosts_max = 100;            // names and addresses of one node
inline constexpr std::size_t host_name_bytes_max = 253;              // DNS's bound
inline constexpr int certificate_days_max = 36'500;
inline constexpr int certificate_warning_days = 30; // of validity left: from then on ferry warns

// Simulation
inline constexpr std::size_t trace_rows_max = 1'000'000;
inline constexpr std::size_t trace_line_bytes_max = 1024 * 1024;
inline constexpr std::int64_t trace_seconds_max = 100LL * 366 * 24 * 3600; // from its first arrival to its last
inline constexpr int simulated_devices_max = 1'000;

// Upscaling
inline constexpr int picture_side_max = 65'500; // pixels of width or height, of a source or a result: what JPEG can hold
inline constexpr std::int64_t source_pixels_max = 134'217'728; // of one picture, width times height
inline constexpr std::int64_t result_pixels_max = 268'435'456; // of one enlarged picture
inline constexpr int video_side_max = 16'384;                  // of an enlarged video: what H.264 encoders take
inline constexpr std::size_t icc_profile_bytes_max = 4 * 1024 * 1024;
inline constexpr int jpeg_scans_max = 500; // of a progressive picture; honest ones have ten
inline constexpr std::size_t folder_pictures_max = 100'000;
inline constexpr std::size_t spec_bytes_max = 64 * 1024 * 1024; // one spec.json
inline constexpr std::size_t worker_line_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t worker_batches_max = 16; // given to a worker and not begun
inline constexpr std::size_t program_output_bytes_max =
    8 * 1024 * 1024; // of ffprobe; of what ffmpeg complains of, the last 4 KiB are kept

// Actors
inline constexpr int restarts_max = 5;             // of crashed actors within restart_window_seconds,
inline constexpr int restart_window_seconds = 60;  // then the daemon gives up
inline constexpr std::size_t waiters_max = 10'000; // requests that wait for a job to end

// Files of jobs, as the API shows them, and what is uploaded.
inline constexpr std::size_t job_files_max = 10'000;        // listed, or put into one archive
inline constexpr std::size_t job_file_entries_max = 20'000; // of folders, looked at for one list
inline constexpr std::size_t job_file_depth_max = 32;       // of folders in a job's directory

inline constexpr std::size_t metric_series_max = 64;                   // of one job
inline constexpr std::size_t metric_points_max = 5'000;                // of each, in one answer
inline constexpr std::size_t metric_file_bytes_max = 16 * 1024 * 1024; // read for one answer; of a larger file, pieces of it
inline constexpr std::size_t uploads_open_max = 256;                   // begun and not finished
inline constexpr std::size_t uploads_finished_kept = 1'000;            // for clients that missed the last answer
inline constexpr std::int64_t upload_idle_ms_max = 24LL * 3600'000;    // one to which nothing was added for longer is removed
inline constexpr std::size_t upload_piece_bytes = 256 * 1024;          // read, then written, of a body
inline constexpr std::size_t file_name_bytes_max = 255;
inline constexpr std::size_t dataset_path_bytes_max = 1'024; // of a file below its dataset
inline constexpr std::size_t dataset_depth_max = 16;         // folders of that path, the file among them
inline constexpr std::size_t datasets_max = 1'000;
inline constexpr std::size_t dataset_files_max = 100'000; // looked at, of one dataset

} // namespace ferry::limits
