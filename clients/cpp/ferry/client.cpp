#include <ferry/client.hpp>

#include "config/limits.hpp"
#include "config/locations.hpp"
#include "remote/compat.hpp"
#include "remote/connecting.hpp"
#include "remote/messages.hpp"
#include "remote/tls_files.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <unistd.h>
#include <utility>

namespace ferry {
namespace {

using namespace std::chrono_literals;

constexpr auto events_wait = 30s;
constexpr std::array backoff{100ms, 300ms, 1'000ms, 3'000ms, 10'000ms};

std::string new_key() {
  std::random_device random;
  std::string key = "c++ ";
  for (int i = 0; i < 32; ++i)
    key += "0123456789abcdef"[random() % 16];
  return key;
}

// As `ferry` names users.
std::string user_name() {
  const char* named = std::getenv("FERRY_USER");
  return named && *named ? named : config::login_name(::getuid());
}

error lost(const std::string& what) {
  return {error_code::unavailable,
          what,
          "is ferryd running there, with node.listen set, and do both have certificates of one authority?",
          {}};
}

void register_once() {
  static const bool once = (remote::register_messages(), caf::core::init_global_meta_objects(), true);
  static_cast<void>(once);
}

// The answer of one request, or that there will be none.
template <class T>
class pending {
public:
  void set(result<T> got) {
    const std::lock_guard lock(mutex_);
    if (!got_)
      got_ = std::move(got);
    changed_.notify_all();
  }
  // Nothing: there is none by then.
  std::optional<result<T>> wait(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [this] { return got_.has_value(); });
    return got_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<result<T>> got_;
};

} // namespace

struct client::implementation {
  implementation(client_options o, remote::tls_files who) : options(std::move(o)), files(std::move(who)) {
    files.set_up(settings);
    settings.set("caf.scheduler.max-threads", 2);
    system.emplace(settings);
    asker = system->spawn([](caf::event_based_actor*) { return caf::behavior{[](remote::look_due) {}}; });
  }
  ~implementation() {
    close();
    caf::anon_send_exit(asker, caf::exit_reason::user_shutdown);
  }

  // The daemon's gateway; connects where there is no connection.
  result<remote::gateway_actor> gateway() {
    const std::lock_guard lock(connecting);
    {
      const std::lock_guard known(mutex);
      if (is_closed)
        return fail(lost("the client is closed"));
      if (peer)
        return peer;
    }
    auto found = remote::connect(*system, options.host, options.port);
    if (!found)
      return fail(lost("no ferryd at " + address() + " lets this program in: " + to_string(found.error())));
    if (auto greeted = greet(*found); !greeted)
      return fail(greeted.error());
    {
      const std::lock_guard known(mutex);
      peer = *found;
    }
    compat::on_exit(*found, [this_life = life, this](const caf::error&) {
      const std::lock_guard alive(this_life->mutex);
      if (this_life->is_over)
        return;
      drop();
    });
    return *found;
  }

  // One request to one gateway. What it returns is to be forgotten when the answer counts no more.
  template <class T, class Message>
  std::uint64_t send(const remote::gateway_actor& to, Message message, const std::shared_ptr<pending<T>>& answer) {
    const auto number = await([answer] { answer->set(fail(lost("the connection broke"))); });
    auto* self = caf::actor_cast<caf::event_based_actor*>(asker);
    compat::post(asker, caf::make_action([self, to, message = std::move(message), answer]() mutable {
                   compat::request(self, to, caf::infinite, std::move(message))
                       .then(
                           [answer](remote::answer<T>& got) {
                             if (auto* good = std::get_if<T>(&got))
                               answer->set(std::move(*good));
                             else
                               answer->set(fail(to_error(std::get<remote::refusal>(got))));
                           },
                           [answer](const caf::error& why) { answer->set(fail(lost("the connection broke: " + to_string(why)))); });
                 }));
    return number;
  }

  template <class T, class Message>
  result<T> ask(const remote::gateway_actor& to, Message message, std::chrono::milliseconds at_most) {
    const auto answer = std::make_shared<pending<T>>();
    const auto number = send(to, std::move(message), answer);
    auto got = answer->wait(at_most);
    forget(number);
    return got ? std::move(*got)
               : result<T>(
                     fail(lost("ferryd at " + address() + " has not answered within " + std::to_string(at_most.count()) + " ms")));
  }

  // The same over a connection that is made where there is none; once more where it breaks, if that does no harm.
  template <class T, class Message>
  result<T> call(const Message& message, std::chrono::milliseconds waits, bool again) {
    for (;;) {
      const auto to = gateway();
      if (!to)
        return fail(to.error());
      auto got = ask<T>(*to, message, options.patience + waits);
      if (got || got.error().code != error_code::unavailable || !std::exchange(again, false))
        return got;
    }
  }

  result<void> greet(const remote::gateway_actor& to) {
    auto welcome = ask<remote::welcome>(to, remote::hello{}, options.patience);
    if (!welcome)
      return fail(welcome.error());
    const std::lock_guard lock(mutex);
    version = welcome->daemon;
    return {};
  }

  // What is to be told when the connection breaks.
  std::uint64_t await(std::function<void()> tell) {
    const std::lock_guard lock(mutex);
    waiting.emplace(++last_waiting, std::move(tell));
    return last_waiting;
  }
  void forget(std::uint64_t number) {
    const std::lock_guard lock(mutex);
    waiting.erase(number);
  }
  void drop() {
    std::map<std::uint64_t, std::function<void()>> told;
    {
      const std::lock_guard lock(mutex);
      peer = nullptr;
      told.swap(waiting);
    }
    for (const auto& [number, tell] : told)
      tell();
  }
  void close() {
    {
      const std::lock_guard over(life->mutex);
      life->is_over = true;
    }
    {
      const std::lock_guard lock(mutex);
      is_closed = true;
    }
    drop();
  }
  [[nodiscard]] std::string address() const { return options.host + ":" + std::to_string(options.port); }

  // Outlives the client: CAF may tell of the end of a connection later.
  struct lifetime {
    std::mutex mutex;
    bool is_over = false;
  };

  client_options options;
  remote::tls_files files;
  caf::actor_system_config settings;
  std::optional<caf::actor_system> system;
  caf::actor asker;
  std::shared_ptr<lifetime> life = std::make_shared<lifetime>();
  std::mutex connecting;
  std::mutex mutex; // of what follows
  remote::gateway_actor peer;
  std::string version;
  std::map<std::uint64_t, std::function<void()>> waiting;
  std::uint64_t last_waiting = 0;
  bool is_closed = false;
};

result<std::unique_ptr<client>> client::connect(client_options options) {
  register_once();
  auto files = remote::tls_files::load({options.certificate, options.key, options.authority}, wall_clock_now());
  if (!files)
    return fail(files.error());
  std::unique_ptr<client> made(new client(std::make_unique<implementation>(std::move(options), std::move(*files))));
  if (const auto connected = made->impl_->gateway(); !connected)
    return fail(connected.error());
  return made;
}

client::client(std::unique_ptr<implementation> impl) : impl_(std::move(impl)) {}
client::~client() = default;

const std::string& client::daemon_version() const { return impl_->version; }

result<std::vector<std::int64_t>> client::submit(std::vector<job_description> jobs, std::string key) {
  for (auto& job : jobs)
    if (job.user.empty())
      job.user = user_name();
  const remote::submit_jobs message{std::move(jobs), key.empty() ? new_key() : std::move(key)};
  auto made = impl_->call<remote::jobs_accepted>(message, 0ms, true);
  if (!made)
    return fail(made.error());
  return std::move(made->ids);
}

result<job_status> client::read(std::int64_t id) { return impl_->call<job_status>(remote::read_job{id}, 0ms, true); }

result<job_status> client::wait(std::int64_t id, std::chrono::milliseconds at_most) {
  const auto until = std::chrono::steady_clock::now() + at_most;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    const auto piece = std::clamp<std::chrono::milliseconds>(left, 0ms, std::chrono::seconds(limits::wait_seconds_max));
    auto seen = impl_->call<job_status>(remote::await_job{id, piece.count()}, piece, true);
    if (!seen || has_ended(*seen) || left <= piece)
      return seen;
  }
}

result<void> client::cancel(std::int64_t id, bool only_queued) {
  // Not said twice: the second time would be refused, for the job is cancelled.
  auto done = impl_->call<remote::accepted>(remote::cancel_job{id, only_queued}, 0ms, false);
  if (!done)
    return fail(done.error());
  return {};
}

// ---- following --------------------------------------------------------------------------------------------------------------

struct subscription::implementation {
  using pending_events = pending<remote::events>;

  implementation(client::implementation& c, std::function<void(const followed_event&)> t, std::optional<std::int64_t> only)
      : of(c), tell(std::move(t)) {
    wants.job = only.value_or(0);
    if (const auto now = of.call<remote::events>(wants, 0ms, true))
      begin_after(*now);
    wants.wait_ms = std::chrono::milliseconds(events_wait).count();
    thread = std::thread([this] { run(); });
  }
  ~implementation() {
    {
      const std::lock_guard lock(mutex);
      is_over = true;
      if (asked)
        asked->set(fail(lost("the subscription has ended")));
      changed.notify_all();
    }
    thread.join();
  }

  void run() {
    std::size_t failures = 0;
    while (goes_on()) {
      const auto got = read();
      if (got) {
        failures = 0;
        hand_on(*got);
      } else {
        pause(backoff.at(std::min(failures++, backoff.size() - 1)));
      }
    }
  }

  result<remote::events> read() {
    const auto to = of.gateway();
    if (!to)
      return fail(to.error());
    const auto answer = std::make_shared<pending_events>();
    {
      const std::lock_guard lock(mutex);
      if (is_over)
        return fail(lost("the subscription has ended"));
      asked = answer;
    }
    const auto number = of.send(*to, wants, answer);
    auto got = answer->wait(of.options.patience + events_wait);
    of.forget(number);
    return got ? std::move(*got) : result<remote::events>(fail(lost("no answer")));
  }

  void hand_on(const remote::events& news) {
    if (!news.missed.empty() && goes_on())
      tell(events_missed{news.missed});
    for (const auto& change : news.jobs)
      if (goes_on())
        tell(change);
    for (const auto& step : news.progress)
      if (goes_on())
        tell(step);
    begin_after(news);
  }

  void begin_after(const remote::events& news) {
    wants.after = news.after;
    wants.after_progress = news.after_progress;
  }

  [[nodiscard]] bool goes_on() {
    const std::lock_guard lock(mutex);
    return !is_over;
  }
  void pause(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, at_most, [this] { return is_over; });
  }

  client::implementation& of;
  std::function<void(const followed_event&)> tell;
  remote::read_events wants; // used by the constructor, then by the thread
  std::mutex mutex;          // of what follows
  std::condition_variable changed;
  std::shared_ptr<pending_events> asked;
  bool is_over = false;
  std::thread thread;
};

subscription::subscription(std::unique_ptr<implementation> impl) : impl_(std::move(impl)) {}
subscription::subscription(subscription&&) noexcept = default;
subscription& subscription::operator=(subscription&&) noexcept = default;
subscription::~subscription() = default;

subscription client::follow(std::function<void(const followed_event&)> tell, std::optional<std::int64_t> only) {
  return subscription(std::make_unique<subscription::implementation>(*impl_, std::move(tell), only));
}

} // namespace ferry
