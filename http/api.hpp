// The routes of the API and their handlers.
#pragma once

#include "actors/supervisor.hpp"
#include "http/bridge.hpp"
#include "http/event_hub.hpp"
#include "http/messages.hpp"
#include "http/monitoring.hpp"
#include "http/server.hpp"
#include "http/uploads.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ferry::http {

// A route as openapi.json names it.
struct route_name {
  std::string method, path; // "GET", "/jobs/{}/log": each {} stands for one name, or for a path
  std::string role;         // that it needs
};

class api {
public:
  [[nodiscard]] static std::vector<route_name> route_names();
  // What may be done with a path, as the header Allow says it; empty: there is no such path.
  [[nodiscard]] static std::string allowed_methods(const std::vector<std::string>& path);

  api(server_parts parts, std::shared_ptr<event_hub> hub, std::shared_ptr<token_store> tokens)
      : parts_(std::move(parts)),
        hub_(std::move(hub)),
        tokens_(std::move(tokens)),
        bridge_(parts_.system),
        uploads_(std::make_unique<uploads>(parts_.settings->storage.data_dir, parts_.settings->uploads,
                                           parts_.settings->storage.free_mib_min)) {}

  // Where TCP is listened on, and how that begins as a link.
  void listens_on(std::string address, std::string url) {
    tcp_address_ = std::move(address);
    tcp_url_ = std::move(url);
  }
  // Something to be said to those who ask for the status.
  void note(std::string what) { notes_.push_back(std::move(what)); }
  // Who has connected to the Unix socket; without a peer the user that the daemon runs as.
  [[nodiscard]] caller local_caller(std::optional<unsigned> peer);

  // Removes uploads that nobody goes on with; never returns.
  [[nodiscard]] boost::asio::awaitable<void> expire_uploads();

  // Finds the route and runs it. Every failure becomes an error response; nothing is thrown.
  [[nodiscard]] boost::asio::awaitable<response> answer(request r);
  // What monitoring asks, outside of the API (api_monitoring.cpp).
  [[nodiscard]] boost::asio::awaitable<response> answer_probe(probe which, boost::beast::http::verb method);

private:
  using reply = boost::asio::awaitable<result<response>>;
  struct route;
  static const std::vector<route>& routes();
  // `taken`: the route that the path fits.
  [[nodiscard]] reply dispatch(const request& r, const route*& taken);
  [[nodiscard]] boost::asio::awaitable<response> answer_safely(const request& r, const route*& taken);

  // jobs (api_jobs.cpp)
  reply submit(const request& r);
  [[nodiscard]] reply try_submit(const job_request& job);
  reply cancel_job(const request& r);
  reply list_jobs(const request& r);
  reply show_job(const request& r);
  reply edit_job(const request& r);
  // A command that takes nothing but the job in the path.
  template <class Command>
  reply on_job(const request& r);
  reply move_job(const request& r);
  reply retry_job(const request& r);
  reply resume_job(const request& r);
  reply read_log(const request& r);
  reply read_history(const request& r);
  reply explain_job(const request& r);
  // What a change of its place in the order would do to it and others.
  [[nodiscard]] reply dry_run(actors::try_change what);
  // the queue and the daemon (api_queue.cpp)
  reply read_queue(const request& r);
  reply read_batches(const request& r);
  reply pause_queue(const request& r);
  reply unpause_queue(const request& r);
  reply clear_queue(const request& r);
  reply read_status(const request& r);
  reply read_openapi(const request& r);
  reply suspend_queue(const request& r);
  reply resume_queue(const request& r);
  reply list_groups(const request& r);
  reply change_group(const request& r);
  reply list_job_types(const request& r);
  reply hold_type(const request& r);
  reply release_type(const request& r);

  // machines that lend their devices (api_nodes.cpp)
  reply list_nodes(const request& r);
  reply drain_node(const request& r);
  reply resume_node(const request& r);
  reply remove_node(const request& r);
  reply set_drained(const request& r, bool drained);

  // figures (api_statistics.cpp)
  reply read_statistics(const request& r);
  reply count_jobs(const request& r);
  reply count_failures(const request& r);

  // files of jobs (api_files.cpp)
  reply list_artifacts(const request& r);
  reply read_artifact(const request& r);

  // what it reports, and which run an attempt was (api_metrics.cpp)
  reply read_metrics(const request& r);
  [[nodiscard]] boost::asio::awaitable<result<batch_id>> run_of_attempt(job_id id, std::int64_t attempt);

  // whether the queue answers (api_monitoring.cpp)
  struct queue_question;
  [[nodiscard]] boost::asio::awaitable<bool> is_ready();
  [[nodiscard]] boost::asio::awaitable<void> ask_queue(std::shared_ptr<queue_question> question);

  // following along (api_events.cpp)
  reply follow_events(const request& r);
  [[nodiscard]] boost::asio::awaitable<result<actors::job_records>> records_of(std::vector<job_id> ids);

  // inputs and datasets (api_uploads.cpp, api_datasets.cpp)
  reply begin_upload(const request& r);
  reply continue_upload(const request& r);
  reply read_upload(const request& r);
  reply remove_upload(const request& r);
  reply list_datasets(const request& r);
  reply add_dataset(const request& r);
  reply show_dataset(const request& r);
  reply read_dataset_file(const request& r);
  reply remove_dataset(const request& r);
  reply remove_dataset_file(const request& r);

  // who may (api_access.cpp)
  [[nodiscard]] boost::asio::awaitable<result<void>> check_rights(const request& r, role needed);
  reply read_session(const request& r);
  reply list_tokens(const request& r);
  reply add_token(const request& r);
  reply remove_token(const request& r);

  reply set_paused(bool paused);
  // Sends a command about the job in the path, then answers with the job as it is now.
  template <class Command>
  reply command(Command what);
  [[nodiscard]] boost::asio::awaitable<result<actors::job_view>> view_of(job_id id);
  // What happened to it: what is stored, and of a running job what was learnt of its attempt since.
  [[nodiscard]] boost::asio::awaitable<result<json>> timeline_of(const actors::job_view& job);
  // Everything about it.
  [[nodiscard]] reply whole_job(job_id id);
  // Asks one of the actors; `pick` chooses it from the handles. Takes `message` away.
  template <class Answer, class Pick, class Message>
  [[nodiscard]] boost::asio::awaitable<typename answer_of<Answer>::type> ask(Pick pick, Message&& message) {
    using taken = std::remove_cvref_t<Message>;
    static_assert(std::is_lvalue_reference_v<Message> || std::is_trivially_copyable_v<taken>,
                  "give it a name first: GCC 12 destroys the temporaries of an awaited expression twice");
    return ask_for<Answer>(pick, taken(std::move(message)));
  }
  template <class Answer, class Pick, class Message>
  [[nodiscard]] boost::asio::awaitable<typename answer_of<Answer>::type> ask_for(Pick pick, Message message) {
    const auto handles = parts_.handles();
    if (!handles)
      co_return fail(restarting());
    co_return co_await bridge_.ask<Answer>((*handles).*pick, std::move(message));
  }
  [[nodiscard]] const std::vector<device_reading>& readings();
  // Each is looked up once.
  [[nodiscard]] const std::string& user_name(std::optional<unsigned> peer);

  // The answer to GET /status as last written; good as long as nothing it tells has changed.
  struct status_text {
    struct key {
      std::uint64_t edition = 0; // of the board; 0: nothing was written yet
      std::chrono::steady_clock::time_point readings_at{};
      std::int64_t uptime_seconds = 0;
      bool operator==(const key&) const = default;
    };
    key as_of;
    response written;
  };
  [[nodiscard]] response write_status(const actors::status_board::snapshot& status, const std::vector<device_reading>& now,
                                      std::int64_t uptime_seconds) const;

  server_parts parts_;
  std::shared_ptr<event_hub> hub_;
  std::shared_ptr<token_store> tokens_;
  std::string tcp_address_, tcp_url_; // empty: there is no TCP
  std::vector<std::string> notes_;
  status_text status_;
  request_counts requests_;
  bridge bridge_;
  std::unique_ptr<uploads> uploads_;
  std::vector<device_reading> readings_;
  std::map<unsigned, std::string> user_names_;
  std::chrono::steady_clock::time_point readings_at_{};
};

} // namespace ferry::http
