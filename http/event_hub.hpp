// What all streams of events share: the board, who waits for a change of it, and what is known of jobs beside it.
#pragma once

#include "actors/event_board.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace ferry::http {

// Used by the HTTP thread alone.
class event_hub : public std::enable_shared_from_this<event_hub> {
public:
  using clock = std::chrono::steady_clock;
  // What the board does not have, for the queue does not: read from the store.
  struct job_labels {
    std::string type, name, user;
  };

  event_hub(boost::asio::io_context& context, std::shared_ptr<actors::event_board> board, std::string start);
  // Lets the board call from now on; close() ends that, and must be called before the context goes.
  void open();
  void close();

  [[nodiscard]] actors::event_board& board() { return *board_; }
  // Of this start of the daemon: what event ids begin with.
  [[nodiscard]] const std::string& start() const { return start_; }

  // False: there are as many streams as may be.
  [[nodiscard]] bool enter();
  void leave();
  [[nodiscard]] std::size_t streams() const { return streams_; }

  // Ends all streams that are open now: whoever still may comes back.
  void send_all_away();
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  // Until `deadline`, or until the board differs from `seen`, or until `timer` is cancelled.
  boost::asio::awaitable<void> wait(boost::asio::steady_timer& timer, clock::time_point deadline,
                                    std::optional<actors::event_board::edition> seen);

  [[nodiscard]] const job_labels* labels_of(job_id id) const;
  void remember(job_id id, job_labels labels);
  void forget(job_id id) { labels_.erase(id); }

private:
  void wake();

  boost::asio::io_context& context_;
  std::shared_ptr<actors::event_board> board_;
  std::string start_;
  std::size_t waker_ = 0;
  std::size_t streams_ = 0;
  std::uint64_t generation_ = 0;
  std::unordered_set<boost::asio::steady_timer*> waiting_;
  std::unordered_map<job_id, job_labels> labels_;
};

} // namespace ferry::http
