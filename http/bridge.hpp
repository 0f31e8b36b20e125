// From the coroutines of the HTTP thread to the actors and back: no thread blocks on either side.
#pragma once

#include "actors/interfaces.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <type_traits>
#include <utility>

namespace ferry::http {

// What `ask` gives: a plain answer A becomes result<A>; a result stays as it is. An actor that is gone is an error "unavailable".
template <class T>
struct answer_of { using type = result<T>; };
template <class T>
struct answer_of<result<T>> { using type = result<T>; };

[[nodiscard]] inline error restarting() {
  return {error_code::unavailable, "the daemon is restarting a part of itself", "try again in a moment", {}};
}

class bridge {
public:
  explicit bridge(caf::actor_system& system)
      : asker_(system.spawn([](caf::event_based_actor*) { return caf::behavior{[](actors::done) {}}; })) {}
  ~bridge() { caf::anon_send_exit(asker_, caf::exit_reason::user_shutdown); }
  bridge(const bridge&) = delete;
  bridge& operator=(const bridge&) = delete;

  // Sends `message` to `to` and continues with its answer on the coroutine's own executor.
  template <class Answer, class Handle, class Message>
  boost::asio::awaitable<typename answer_of<Answer>::type> ask(Handle to, Message message) {
    using outcome = typename answer_of<Answer>::type;
    const auto executor = co_await boost::asio::this_coro::executor;
    // Named, not a temporary: GCC 12 mishandles some temporaries of co_await expressions.
    auto initiate = [this, executor, to = std::move(to), message = std::move(message)](auto handler) mutable {
      auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      auto resume = [executor, shared](outcome o) {
        boost::asio::post(executor, [shared, o = std::move(o)]() mutable { std::move (*shared)(std::move(o)); });
      };
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
};

} // namespace ferry::http
