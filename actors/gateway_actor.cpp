#include "actors/gateway_actor.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"
#include "model/nesting.hpp"
#include "model/version.hpp"

#include <algorithm>
#include <array>
#include <openssl/evp.h>
#include <utility>

namespace ferry::actors {
namespace {

namespace wire = remote;
using namespace std::chrono_literals;

// Progress is kept for those who follow, and for so long after the last of them asked.
constexpr auto following_for = 2min;

error restarting() { return {error_code::unavailable, "the daemon is restarting a part of itself", "try again in a moment", {}}; }

result<job_request> request_from(wire::job_description& job, const std::string& where) {
  const auto bad = [&](const char* field, const std::string& what) {
    return fail(error_code::invalid_argument, where + "/" + field + " " + what);
  };
  if (job.params.size() > limits::params_bytes_max)
    return bad("params", "takes " + std::to_string(job.params.size()) + " bytes; at most " +
                             std::to_string(limits::params_bytes_max) + " are allowed");
  if (const auto depth = nesting_of(job.params); depth > limits::json_depth_max)
    return bad("params", "nests " + std::to_string(depth) + " levels deep; at most " + std::to_string(limits::json_depth_max) +
                             " are allowed");
  auto params = json::parse(job.params, nullptr, false);
  if (params.is_discarded() || !params.is_object())
    return bad("params", "must be a JSON object, is " + config::shortened(job.params, 60));
  if (job.priority < priority_min || job.priority > priority_max)
    return bad("priority", "must be from 0 to 100, is " + std::to_string(job.priority));
  const auto rule = needs_rule_from(job.on_needs_failure);
  if (!rule)
    return bad("on_needs_failure", "must be hold, cancel or start, is '" + config::shortened(job.on_needs_failure) + "'");
  job_request request{
      .type = std::move(job.type),
      .params = std::move(params),
      .priority = job.priority,
      .name = std::move(job.name),
      .held = job.held,
      // What is out of the bound that admission names stays so.
      .delay = std::chrono::milliseconds(std::clamp<std::int64_t>(job.delay_ms, -1, (limits::delay_seconds_max + 1) * 1000)),
      .base_dir = std::move(job.base_dir),
      .needs = {},
      .on_needs_failure = *rule,
      .group = std::move(job.group),
      .unique_key = std::move(job.unique_key),
      .user = job.user.empty() ? std::nullopt : std::optional(std::move(job.user)),
      .on = {.labels = std::move(job.on)}};
  for (const auto id : job.needs)
    request.needs.push_back({id});
  return request;
}

// Tells the same request from another one under the same key.
std::string digest_of(const std::vector<job_request>& jobs) {
  json all = json::array();
  for (const auto& job : jobs) {
    json needs = json::array();
    for (const auto id : job.needs)
      needs.push_back(id.value);
    all.push_back({job.type, job.params, job.priority, job.name, job.held, job.delay.count(), job.base_dir, std::move(needs),
                   to_string(job.on_needs_failure), job.group, job.unique_key, job.user.value_or(""), to_json(job.on)});
  }
  const auto text = all.dump(-1, ' ', false, json::error_handler_t::replace);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return {digest.begin(), digest.begin() + length};
}

std::optional<std::int64_t> ms_of(const std::optional<instant>& when) {
  return when ? std::optional(to_unix_ms(*when)) : std::nullopt;
}

wire::job_status status_of(const job_view& view) {
  const job_record& job = view.record;
  wire::job_status status{.id = job.id.value,
                          .type = job.type,
                          .name = job.name,
                          .user = job.user,
                          .state = std::string(to_string(job.state)),
                          .phase = view.phase,
                          .held = job.held,
                          .waiting_for = view.waiting_for,
                          .position = view.position,
                          .expected_start_ms = {},
                          .created_ms = to_unix_ms(job.created),
                          .started_ms = ms_of(job.started),
                          .finished_ms = ms_of(job.finished),
                          .fraction = view.how_far.fraction,
                          .batch = job.batch.value,
                          .device = job.device,
                          .attempts = job.attempts,
                          .failure_kind = {},
                          .failure = {},
                          .result = {}};
  if (view.expected_start)
    status.expected_start_ms = to_unix_ms(view.expected_start->start);
  if (job.why_failed) {
    status.failure_kind = to_string(job.why_failed->kind);
    status.failure = job.why_failed->message;
  }
  if (!job.result.is_null())
    status.result = job.result.dump(-1, ' ', false, json::error_handler_t::replace);
  return status;
}

class gateway_state {
public:
  using handle = wire::gateway_actor;
  template <class T>
  using promise_of = caf::typed_response_promise<wire::answer<T>>;

  gateway_state(handle::pointer self, gateway_parts parts) : self_(self), parts_(std::move(parts)) {}
  ~gateway_state() {
    if (is_following_)
      parts_.events->follower_left();
  }
  gateway_state(const gateway_state&) = delete;
  gateway_state& operator=(const gateway_state&) = delete;

  handle::behavior_type make_behavior() {
    return {
        [this](const wire::hello& what) { return greet(what); },
        [this](wire::submit_jobs& what) { return submit(std::move(what)); },
        [this](const wire::read_job& what) { return read({what.id}); },
        [this](const wire::await_job& what) { return await(what); },
        [this](const wire::cancel_job& what) { return cancel(what); },
        [this](const wire::read_events& what) { return follow(what); },
        [this](wire::look_due) { look(); },
        [this](wire::node::join& what) { return pass_on<wire::node::welcome>(what); },
        [this](wire::node::await_orders& what) { return pass_on<wire::node::orders>(what); },
        [this](wire::node::report& what) { return pass_on<wire::node::acknowledged>(what); },
        [this](wire::node::piece& what) { return pass_on<wire::node::piece_taken>(what); },
        [this](wire::node::fetch& what) { return pass_on<wire::node::fetched>(what); },
        [this](wire::node::leave& what) { return pass_on<wire::node::acknowledged>(what); },
    };
  }

private:
  // What nodes say is for the hub.
  template <class T, class Message>
  caf::result<wire::answer<T>> pass_on(Message& what) {
    if (const auto handles = parts_.handles())
      return self_->delegate(handles->nodes, std::move(what));
    return wire::answer<T>(wire::to_refusal(restarting()));
  }

  wire::answer<wire::welcome> greet(const wire::hello& what) const {
    if (what.protocol != wire::protocol_version)
      return wire::to_refusal({error_code::newer_version,
                               "the daemon speaks version " + std::to_string(wire::protocol_version) +
                                   " of ferry's protocol between machines, the client version " + std::to_string(what.protocol),
                               "install the same ferry on both",
                               {}});
    return wire::welcome{.daemon = version};
  }

  // Asks the queue, and answers with what `translate` makes of a good answer.
  template <class T, class Answer, class Message, class Translate>
  void ask(promise_of<T> promise, Message message, Translate translate) {
    const auto handles = parts_.handles();
    if (!handles) {
      promise.deliver(wire::answer<T>(wire::to_refusal(restarting())));
      return;
    }
    request(self_, handles->queue, caf::infinite, std::move(message))
        .then(
            [promise, translate](result<Answer>& got) mutable {
              if (got)
                translate(promise, *got);
              else
                promise.deliver(wire::answer<T>(wire::to_refusal(got.error())));
            },
            [promise](const caf::error&) mutable { promise.deliver(wire::answer<T>(wire::to_refusal(restarting()))); });
  }

  caf::result<wire::answer<wire::jobs_accepted>> submit(wire::submit_jobs what) {
    using accepted = wire::answer<wire::jobs_accepted>;
    submit_jobs message;
    for (std::size_t i = 0; i < what.jobs.size(); ++i) {
      auto job = request_from(what.jobs[i], "/jobs/" + std::to_string(i));
      if (!job)
        return accepted(wire::to_refusal(job.error()));
      message.jobs.push_back(std::move(*job));
    }
    if (what.key.size() > limits::idempotency_key_bytes_max)
      return accepted(wire::to_refusal({error_code::too_large,
                                        "the key takes " + std::to_string(what.key.size()) + " bytes; at most " +
                                            std::to_string(limits::idempotency_key_bytes_max) + " are allowed",
                                        {},
                                        {}}));
    if (!what.key.empty())
      message.from = {what.key, digest_of(message.jobs)};
    auto promise = self_->make_response_promise<accepted>();
    ask<wire::jobs_accepted, jobs_submitted>(promise, std::move(message), [](auto& to, jobs_submitted& made) {
      wire::jobs_accepted ids;
      for (const auto& job : made.jobs)
        ids.ids.push_back(job.id.value);
      to.deliver(accepted(std::move(ids)));
    });
    return promise;
  }

  void answer_with_job(promise_of<wire::job_status> promise, job_id id) {
    ask<wire::job_status, job_view>(
        promise, read_job{id}, [](auto& to, const job_view& view) { to.deliver(wire::answer<wire::job_status>(status_of(view))); });
  }

  caf::result<wire::answer<wire::job_status>> read(job_id id) {
    auto promise = self_->make_response_promise<wire::answer<wire::job_status>>();
    answer_with_job(promise, id);
    return promise;
  }

  caf::result<wire::answer<wire::job_status>> await(const wire::await_job& what) {
    auto promise = self_->make_response_promise<wire::answer<wire::job_status>>();
    const auto at_most = std::chrono::milliseconds(std::clamp<std::int64_t>(what.wait_ms, 0, limits::wait_seconds_max * 1000));
    ask<wire::job_status, done>(promise, await_job{{what.id}, at_most},
                                [this, id = job_id{what.id}](auto& to, done) { answer_with_job(to, id); });
    return promise;
  }

  caf::result<wire::answer<wire::accepted>> cancel(const wire::cancel_job& what) {
    auto promise = self_->make_response_promise<wire::answer<wire::accepted>>();
    ask<wire::accepted, done>(promise, cancel_job{{what.id}, what.only_queued},
                              [](auto& to, done) { to.deliver(wire::answer<wire::accepted>(wire::accepted{})); });
    return promise;
  }

  // ---- events ----

  struct reader {
    wire::read_events wants;
    promise_of<wire::events> promise;
    std::chrono::steady_clock::time_point until;
  };

  caf::result<wire::answer<wire::events>> follow(wire::read_events wants) {
    auto promise = self_->make_response_promise<wire::answer<wire::events>>();
    if (readers_.size() >= limits::remote_readers_max) {
      promise.deliver(wire::answer<wire::events>(
          wire::to_refusal({error_code::too_large,
                            std::to_string(limits::remote_readers_max) + " requests for events wait already",
                            "follow with fewer programs",
                            {}})));
      return promise;
    }
    keep_progress();
    const auto now = parts_.events->now();
    wants.after = wants.after.value_or(now.jobs);
    wants.after_progress = wants.after_progress.value_or(now.progress);
    const auto at_most = std::chrono::milliseconds(std::clamp<std::int64_t>(wants.wait_ms, 0, limits::wait_seconds_max * 1000));
    readers_.push_back({std::move(wants), promise, std::chrono::steady_clock::now() + at_most});
    self_->run_delayed(at_most, [this] { look(); });
    look();
    return promise;
  }

  void look() {
    parts_.events->wake_me(); // before looking: what comes after this look is told
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(readers_, [&](reader& one) {
      auto found = news_for(one.wants);
      if (found.jobs.empty() && found.progress.empty() && found.missed.empty() && now < one.until)
        return false;
      one.promise.deliver(wire::answer<wire::events>(std::move(found)));
      return true;
    });
  }

  [[nodiscard]] wire::events news_for(const wire::read_events& wants) const {
    const auto only = wants.job == 0 ? std::nullopt : std::optional(job_id{wants.job});
    auto news = parts_.events->since(*wants.after, only);
    wire::events found{.after = news.last,
                       .after_progress = news.why_lost ? 0 : *wants.after_progress, // it may be of another start of the daemon
                       .missed = news.why_lost.value_or(""),
                       .jobs = {},
                       .progress = {}};
    for (auto& change : news.jobs)
      found.jobs.push_back({.id = change.id.value,
                            .state = std::string(to_string(change.state)),
                            .phase = std::string(change.phase),
                            .held = change.held,
                            .batch = change.batch.value,
                            .device = std::move(change.device)});
    for (auto& one : parts_.events->progress_since(found.after_progress, only)) {
      found.after_progress = std::max(found.after_progress, one.number);
      found.progress.push_back({.id = one.id.value,
                                .fraction = one.how_far.fraction,
                                .step = one.how_far.step,
                                .total = one.how_far.total,
                                .message = std::move(one.how_far.message)});
    }
    return found;
  }

  void keep_progress() {
    last_asked_ = std::chrono::steady_clock::now();
    if (std::exchange(is_following_, true))
      return;
    parts_.events->follower_came();
    watch_followers();
  }

  void watch_followers() {
    self_->run_delayed(following_for, [this] {
      if (!readers_.empty() || std::chrono::steady_clock::now() - last_asked_ < following_for) {
        watch_followers();
        return;
      }
      is_following_ = false;
      parts_.events->follower_left();
    });
  }

  handle::pointer self_;
  gateway_parts parts_;
  std::vector<reader> readers_;
  bool is_following_ = false;
  std::chrono::steady_clock::time_point last_asked_;
};

} // namespace

remote::gateway_actor spawn_gateway(caf::actor_system& system, gateway_parts parts) {
  return spawn<gateway_state>(system, std::move(parts));
}

} // namespace ferry::actors
