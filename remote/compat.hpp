// The only file whose code depends on the CAF version: one source for 0.18.7 and 1.x.
// Never test CAF_VERSION (an octal literal in 1.1.0): CAF_MAJOR_VERSION is defined by every version.
#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/result.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <chrono>
#include <type_traits>
#include <utility>

namespace ferry::compat {

#if CAF_MAJOR_VERSION >= 1
template <class Self, class Handle, class... Ts>
void send(Self* self, const Handle& to, Ts&&... message) {
  self->mail(std::forward<Ts>(message)...).send(to);
}
template <class Self, class Handle, class... Ts>
auto request(Self* self, const Handle& to, caf::timespan timeout, Ts&&... message) {
  return self->mail(std::forward<Ts>(message)...).request(to, timeout);
}
// Sends from outside of any actor.
template <class Handle, class... Ts>
void post(const Handle& to, Ts&&... message) {
  caf::anon_mail(std::forward<Ts>(message)...).send(to);
}
// Sends to oneself after `delay`.
template <class Self, class... Ts>
void send_later(Self* self, caf::timespan delay, Ts&&... message) {
  self->mail(std::forward<Ts>(message)...).delay(delay).send(caf::actor_cast<typename Self::actor_hdl>(self));
}
#else
template <class Self, class Handle, class... Ts>
void send(Self* self, const Handle& to, Ts&&... message) {
  self->send(to, std::forward<Ts>(message)...);
}
template <class Self, class Handle, class... Ts>
auto request(Self* self, const Handle& to, caf::timespan timeout, Ts&&... message) {
  return self->request(to, timeout, std::forward<Ts>(message)...);
}
template <class Handle, class... Ts>
void post(const Handle& to, Ts&&... message) {
  caf::anon_send(to, std::forward<Ts>(message)...);
}
template <class Self, class... Ts>
void send_later(Self* self, caf::timespan delay, Ts&&... message) {
  self->delayed_send(caf::actor_cast<typename Self::actor_hdl>(self), delay, std::forward<Ts>(message)...);
}
#endif

// Spawns a state class `S(typename S::handle::pointer self, args…)` with a member `make_behavior()`.
template <class S, caf::spawn_options Options = caf::no_spawn_options, class Host, class... Ts>
typename S::handle spawn(Host& host, Ts&&... arguments) {
  using implementation = typename S::handle::template stateful_impl<S>;
  return host.template spawn<implementation, Options>(std::forward<Ts>(arguments)...);
}

// Runs `react(why)` on some thread once `whom` is gone.
template <class Handle, class React>
void on_exit(const Handle& whom, React react) {
  whom->attach_functor([react](const caf::error& why) { react(why); });
}

} // namespace ferry::compat
