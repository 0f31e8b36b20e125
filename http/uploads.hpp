// Uploads and datasets as the API sees them: the store of what is on its way, and the threads on which the disk is waited for.
#pragma once

#include "http/incoming_body.hpp"
#include "http/upload_store.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <type_traits>

namespace ferry::http {

// How far an upload is; `placed` once it is finished.
struct upload_state {
  std::uint64_t offset = 0, bytes = 0;
  std::optional<placed_file> placed = {};
  bool is_at_other_offset = false; // nothing was taken: the request began elsewhere
};

class uploads {
public:
  uploads(std::filesystem::path data_dir, config::upload_rules rules, std::int64_t free_mib_min);
  ~uploads(); // ends what runs on its threads
  uploads(const uploads&) = delete;
  uploads& operator=(const uploads&) = delete;

  // Those of `who`, or of anybody for an admin. Errors: as of upload_store, not_found, forbidden, conflict, and as of
  // place_upload().
  [[nodiscard]] boost::asio::awaitable<result<upload_state>> begin(upload_plan plan, const caller& who, std::string& id);
  [[nodiscard]] boost::asio::awaitable<result<upload_state>> go_on(const std::string& id, const caller& who, std::uint64_t offset,
                                                                   incoming_body& body);
  [[nodiscard]] result<upload_state> look_at(const std::string& id, const caller& who);
  [[nodiscard]] result<void> remove(const std::string& id, const caller& who);
  void expire() { store_.expire(wall_clock_now()); }

  [[nodiscard]] std::filesystem::path datasets_folder() const { return data_dir_ / "datasets"; }
  // `count` bytes of a dataset were removed.
  void note_removed(std::uint64_t count);
  // Set once the daemon stops: what takes long on disk looks at it.
  [[nodiscard]] const std::atomic<bool>& stop() const { return stop_; }

  // Runs `work` on a thread that may wait for the disk, and goes on with what it gives. `work` is a named object of the caller's.
  template <class Work>
  [[nodiscard]] boost::asio::awaitable<std::invoke_result_t<Work&>> on_disk(Work& work) {
    using outcome = std::invoke_result_t<Work&>;
    const auto executor = co_await boost::asio::this_coro::executor;
    auto initiate = [this, executor, &work](auto handler) {
      auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
      boost::asio::post(threads_, [executor, &work, waiting] {
        auto given = std::make_shared<outcome>(work());
        boost::asio::post(executor, [waiting, given] { std::move (*waiting)(std::move(*given)); });
      });
    };
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(outcome)>(std::move(initiate),
                                                                                                        boost::asio::use_awaitable);
  }

private:
  using upload = upload_store::upload;

  [[nodiscard]] result<upload*> find_own(const std::string& id, const caller& who);
  [[nodiscard]] boost::asio::awaitable<result<void>> receive(const std::string& id, incoming_body& body);
  [[nodiscard]] boost::asio::awaitable<result<upload_state>> finish(const std::string& id);
  [[nodiscard]] boost::asio::awaitable<void> measure();

  std::filesystem::path data_dir_;
  upload_store store_;
  std::optional<std::uint64_t> stored_bytes_; // of inputs and datasets; none: not measured yet
  std::atomic<bool> stop_ = false;
  boost::asio::thread_pool threads_{2};
};

} // namespace ferry::http
