#include "actors/gateway.hpp"

#include <atomic>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/openssl/publish.hpp>
#include <caf/scoped_actor.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <spdlog/spdlog.h>
#include <thread>
#include <utility>

namespace ferry::actors {

struct gateway::implementation {
  implementation(caf::actor_system& s, gateway_parts p, std::string a) : system(s), parts(std::move(p)), address(std::move(a)) {}

  result<void> publish(std::uint16_t wanted) {
    actor = spawn_gateway(system, parts);
    const auto bound = caf::openssl::publish(actor, wanted, address.empty() ? nullptr : address.c_str(), true);
    if (!bound) {
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
      return fail(error_code::io,
                  "cannot listen on " + (address.empty() ? "*" : address) + ":" + std::to_string(wanted) +
                      " for other machines: " + to_string(bound.error()),
                  "set node.listen to an address of this machine and a free port");
    }
    port = *bound;
    waker = parts.events->on_change([to = actor] { post(to, remote::look_due{}); });
    on_exit(actor, [tell = ended](const caf::error& why) { tell->set(to_string(why)); });
    return {};
  }

  // By CAF's own messages: the header that does this does not compile in 0.18.7.
  void withdraw() {
    parts.events->forget_waker(waker);
    caf::scoped_actor self(system);
    request(self.ptr(), system.openssl_manager().actor_handle(), std::chrono::seconds(5), caf::close_atom_v, port.load())
        .receive([] {},
                 [](const caf::error& why) { spdlog::warn("the port for other machines may still be open: {}", to_string(why)); });
  }

  // On a thread of its own: publishing waits for other actors.
  void keep() {
    while (const auto why = ended->wait()) {
      spdlog::warn("what speaks to other machines ended ({}); it is started again", *why);
      withdraw();
      if (const auto again = publish(port); !again) {
        spdlog::error("{}", to_string(again.error()));
        return;
      }
    }
    withdraw();
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }

  // Why the gateway ended, or that it is to end.
  class ending {
  public:
    void set(std::string why) {
      const std::lock_guard lock(mutex_);
      if (!why_)
        why_ = std::move(why);
      changed_.notify_one();
    }
    void close() {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
      changed_.notify_one();
    }
    std::optional<std::string> wait() {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return is_closed_ || why_; });
      return is_closed_ ? std::nullopt : std::exchange(why_, std::nullopt);
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::string> why_;
    bool is_closed_ = false;
  };

  caf::actor_system& system;
  gateway_parts parts;
  std::string address;
  std::shared_ptr<ending> ended = std::make_shared<ending>();
  remote::gateway_actor actor;
  std::atomic<std::uint16_t> port = 0;
  std::size_t waker = 0;
  std::thread keeper;
};

result<std::unique_ptr<gateway>> gateway::open(caf::actor_system& system, gateway_parts parts, std::string address,
                                               std::uint16_t port) {
  auto impl = std::make_unique<implementation>(system, std::move(parts), std::move(address));
  if (const auto published = impl->publish(port); !published)
    return fail(published.error());
  impl->keeper = std::thread([keeps = impl.get()] { keeps->keep(); });
  return std::unique_ptr<gateway>(new gateway(std::move(impl)));
}

gateway::gateway(std::unique_ptr<implementation> impl) : impl_(std::move(impl)) {}
gateway::~gateway() {
  impl_->ended->close();
  impl_->keeper.join();
}

std::uint16_t gateway::port() const { return impl_->port; }

} // namespace ferry::actors
