// One stream of server-sent events (GET /events, docs/api.md): what has changed since the last look, in pieces, as long as the peer
// listens. It keeps a cursor and the latest numbers, nothing else, however slowly the peer reads.
#pragma once

#include "actors/interfaces.hpp"
#include "http/body_source.hpp"
#include "http/event_hub.hpp"
#include "http/event_id.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace ferry::http {

// How much of `bytes` may be shown as text now: all but a character at the end that is not whole yet.
[[nodiscard]] std::size_t whole_characters(std::string_view bytes);

// What a stream asks of the daemon.
struct event_sources {
  std::function<boost::asio::awaitable<result<actors::job_records>>(std::vector<job_id>)> find_jobs;
  std::function<std::optional<actors::status_board::snapshot>()> status; // none: it is restarting
  std::filesystem::path runs;                                            // the run directories
  instant started{};
};

struct event_request {
  std::optional<job_id> job = {};           // of one job only
  std::optional<log_place> log = {};        // follow its log; the batch is that of the job now
  bool is_running = false;                  // the job whose log is followed
  std::optional<event_id> resume_from = {}; // what was seen last
};

class event_stream final : public body_source {
public:
  // The hub has let it enter; it leaves when it goes.
  event_stream(std::shared_ptr<event_hub> hub, event_sources sources, event_request what, boost::asio::any_io_executor executor);
  ~event_stream() override { hub_->leave(); }

  [[nodiscard]] boost::asio::awaitable<result<std::string>> next() override;
  void stop() override;

private:
  using clock = event_hub::clock;

  void begin();
  boost::asio::awaitable<void> add_jobs();
  boost::asio::awaitable<void> read_labels(const std::vector<actors::event_board::job_change>& changes);
  void add_queue();
  void add_progress();
  result<void> add_log();
  void note_run_of(const actors::event_board::job_change& change);
  // The event is the last of the changes up to `number`.
  void add(std::string_view name, const json& data, std::uint64_t number);
  void lost(const std::string& why);
  [[nodiscard]] clock::time_point next_look() const;

  std::shared_ptr<event_hub> hub_;
  event_sources sources_;
  event_request what_;
  boost::asio::steady_timer timer_;
  const std::uint64_t generation_;
  bool has_begun_ = false, is_stopped_ = false;
  std::string out_; // what this look has found
  std::uint64_t cursor_ = 0;
  actors::event_board::edition seen_;
  std::uint64_t told_progress_ = 0, told_queue_ = 0;
  std::optional<batch_id> next_run_; // the log of the one before is read to its end first
  clock::time_point looked_at_{}, jobs_due_{}, queue_due_{}, progress_due_{}, log_due_{}, wrote_at_{};
};

} // namespace ferry::http
