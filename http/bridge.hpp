// From the coroutines of the HTTP thread to the actors and back: no thread blocks on either side.
#pragma once

#include "actors/interfaces.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <mutex>
#include <type_traits>
#include <unordered_set>
#include <utility>

namespace ferry::http {

// What `ask` gives: a plain answer A becomes result<A>; a result stays as it is. An actor that is gone is an error "unavailable".
template <class T>
struct answer_of {
  using type = result<T>;
};
template <class T>
struct answer_of<result<T>> {
  using type = result<T>;
};

[[nodiscard]] inline error restarting() {
  return {error_code::unavailable, "the daemon is restarting a part of itself", "try again in a moment", {}};
}

// A coroutine that waits for the answer of an actor.
template <class Outcome, class Handler>
struct waiting_coroutine {
  boost::asio::any_io_executor executor;
  Handler handler;
};

// Holds the waiting coroutines until they are resumed. Once closed none is: an actor may answer after the server is gone.
class waiting_room {
public:
  void enter(std::shared_ptr<void> one) {
    const std::lock_guard lock(mutex_);
    waiting_.insert(std::move(one));
  }
  // Resumes it on its own executor, unless the room was closed.
  template <class Outcome, class Handler>
  void resume(const std::weak_ptr<waiting_coroutine<Outcome, Handler>>& one, Outcome outcome) {
    const std::lock_guard lock(mutex_);
    const auto found = one.lock();
    if (!found || waiting_.erase(found) == 0)
      return;
    boost::asio::post(found->executor, [found, o = std::move(outcome)]() mutable { std::move(found->handler)(std::move(o)); });
  }
  // Ends those that still wait, here and now.
  void close() {
    std::unordered_set<std::shared_ptr<void>> left;
    const std::lock_guard lock(mutex_);
    left.swap(waiting_);
  }

private:
  std::mutex mutex_;
  std::unordered_set<std::shared_ptr<void>> waiting_;
};

class bridge {
public:
  explicit bridge(caf::actor_system& system)
      : asker_(system.spawn([](caf::event_based_actor*) { return caf::behavior{[](actors::done) {}}; })) {}
  ~bridge() {
    caf::anon_send_exit(asker_, caf::exit_reason::user_shutdown);
    room_->close();
  }
  bridge(const bridge&) = delete;
  bridge& operator=(const bridge&) = delete;

  // Sends `message` to `to` and continues with its answer on the coroutine's own executor.
  template <class Answer, class Handle, class Message>
  boost::asio::awaitable<typename answer_of<Answer>::type> ask(Handle to, Message message) {
    using outcome = typename answer_of<Answer>::type;
    const auto executor = co_await boost::asio::this_coro::executor;
    // Named, not a temporary: GCC 12 mishandles some temporaries of co_await expressions.
    auto initiate = [this, executor, to = std::move(to), message = std::move(message)](auto handler) mutable {
      using waiter = waiting_coroutine<outcome, decltype(handler)>;
      const auto one = std::make_shared<waiter>(waiter{executor, std::move(handler)});
      room_->enter(one);
      auto resume = [room = room_, who = std::weak_ptr<waiter>(one)](outcome o) { room->resume(who, std::move(o)); };
      auto* self = caf::actor_cast<caf::event_based_actor*>(asker_);
      actors::post(asker_, caf::make_action([self, to = std::move(to), message = std::move(message), resume]() mutable {
                     actors::request(self, to, caf::infinite, std::move(message))
                         .then([resume](Answer& answer) { resume(outcome(std::move(answer))); },
                               [resume](const caf::error&) { resume(outcome(fail(restarting()))); });
                   }));
    };
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(outcome)>(std::move(initiate),
                                                                                                        boost::asio::use_awaitable);
  }

private:
  caf::actor asker_;
  std::shared_ptr<waiting_room> room_ = std::make_shared<waiting_room>();
};

} // namespace ferry::http
