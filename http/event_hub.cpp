#include "http/event_hub.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ferry::http {
namespace asio = boost::asio;
namespace {

constexpr std::size_t labels_kept = 10'000; // then all are forgotten and read anew

} // namespace

event_hub::event_hub(asio::io_context& context, std::shared_ptr<actors::event_board> board, std::string start)
    : context_(context), board_(std::move(board)), start_(std::move(start)) {}

void event_hub::open() {
  waker_ = board_->on_change([weak = weak_from_this(), &context = context_] {
    asio::post(context, [weak] {
      if (const auto hub = weak.lock())
        hub->wake();
    });
  });
}

void event_hub::close() { board_->forget_waker(waker_); }

bool event_hub::enter() {
  if (streams_ >= limits::event_streams_max)
    return false;
  ++streams_;
  board_->follower_came();
  return true;
}

void event_hub::leave() {
  --streams_;
  board_->follower_left();
}

asio::awaitable<void> event_hub::wait(asio::steady_timer& timer, clock::time_point deadline,
                                      std::optional<actors::event_board::edition> seen) {
  timer.expires_at(deadline);
  if (seen) {
    board_->wake_me();
    if (board_->now() != *seen)
      co_return;
    waiting_.insert(&timer);
  }
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  waiting_.erase(&timer);
}

void event_hub::send_all_away() {
  ++generation_;
  wake();
}

void event_hub::wake() {
  for (auto* timer : waiting_)
    timer->cancel();
}

const event_hub::job_labels* event_hub::labels_of(job_id id) const {
  const auto found = labels_.find(id);
  return found == labels_.end() ? nullptr : &found->second;
}

void event_hub::remember(job_id id, job_labels labels) {
  if (labels_.size() >= labels_kept)
    labels_.clear();
  labels_.insert_or_assign(id, std::move(labels));
}

} // namespace ferry::http
