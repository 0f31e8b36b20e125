#include "http/uploads.hpp"

#include "config/text.hpp"
#include "http/dataset_files.hpp"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace ferry::http {
namespace asio = boost::asio;

namespace {

upload_state state_of(const upload_store::upload& one) {
  return {.offset = one.offset, .bytes = one.plan.bytes, .placed = one.placed};
}

} // namespace

uploads::uploads(std::filesystem::path data_dir, config::upload_rules rules, std::int64_t free_mib_min)
    : data_dir_(std::move(data_dir)), store_(data_dir_, rules, free_mib_min) {
  store_.restore(wall_clock_now());
  boost::asio::post(threads_, [folder = datasets_folder()] { remove_leftovers(folder); });
}

uploads::~uploads() {
  stop_ = true;
  threads_.join();
}

result<uploads::upload*> uploads::find_own(const std::string& id, const caller& who) {
  auto* found = store_.find(id);
  if (!found)
    return fail(error_code::not_found, "there is no upload '" + config::shortened(id) + "'",
                "one to which nothing is added for a day is removed; begin a new one");
  if (found->user != who.user && who.level != role::admin)
    return fail(error_code::forbidden, "upload " + id + " is not yours", "with the role submit you may go on with your own");
  return found;
}

asio::awaitable<void> uploads::measure() {
  auto work = [this] { return bytes_stored(data_dir_, stop_); };
  stored_bytes_ = co_await on_disk(work);
}

asio::awaitable<result<upload_state>> uploads::begin(upload_plan plan, const caller& who, std::string& id) {
  const bool is_new_measure = !stored_bytes_;
  if (!stored_bytes_)
    co_await measure();
  auto begun = store_.begin(plan, who.user, *stored_bytes_, wall_clock_now());
  // Files may have been removed by hand: that is looked at before anybody is refused for them.
  if (!begun && begun.error().code == error_code::disk_full && !is_new_measure) {
    co_await measure();
    begun = store_.begin(std::move(plan), who.user, *stored_bytes_, wall_clock_now());
  }
  if (!begun)
    co_return fail(begun.error());
  id = (*begun)->id;
  co_return state_of(**begun);
}

// Every await may let another request remove the upload or take its writing over; so it is looked up again behind each.
asio::awaitable<result<void>> uploads::receive(const std::string& id, incoming_body& body) {
  const auto own = ++store_.find(id)->writer;
  for (;;) {
    const auto piece = co_await body.next();
    auto* to = store_.find(id);
    if (!to || to->writer != own)
      co_return fail(error_code::conflict, to ? "another request goes on with this upload" : "the upload was removed meanwhile");
    if (!piece)
      co_return fail(piece.error());
    if (piece->empty())
      co_return result<void>();
    if (auto written = store_.append(*to, *piece, wall_clock_now()); !written) {
      if (written.error().code == error_code::disk_full)
        store_.remove(id); // half a file that fills the disk is of no use to anybody
      co_return fail(written.error());
    }
  }
}

asio::awaitable<result<upload_state>> uploads::go_on(const std::string& id, const caller& who, std::uint64_t offset,
                                                     incoming_body& body) {
  const auto found = find_own(id, who);
  if (!found)
    co_return fail(found.error());
  const upload& one = **found;
  if (offset != one.offset) {
    auto state = state_of(one);
    state.is_at_other_offset = true;
    co_return state;
  }
  if (body.bytes() > one.plan.bytes - one.offset)
    co_return fail(error_code::too_large, "the body has " + std::to_string(body.bytes()) + " bytes; of the " +
                                              std::to_string(one.plan.bytes) + " that were told " +
                                              std::to_string(one.plan.bytes - one.offset) + " are missing");
  if (one.placed)
    co_return state_of(one);
  if (one.is_finishing)
    co_return fail(error_code::unavailable, "the upload is being finished", "ask for it again in a moment");
  const auto received = co_await receive(id, body);
  if (!received)
    co_return fail(received.error());
  const auto* now = store_.find(id);
  if (now->offset < now->plan.bytes)
    co_return state_of(*now);
  co_return co_await finish(id);
}

asio::awaitable<result<upload_state>> uploads::finish(const std::string& id) {
  auto order = store_.hand_over(*store_.find(id));
  if (!order)
    co_return fail(order.error());
  auto work = [this, &order] { return place_upload(std::move(*order), stop_); };
  auto placed = co_await on_disk(work);
  auto& whole = *store_.find(id); // nobody removes one that is being finished
  if (!placed) {
    whole.is_finishing = false;
    // Of these another try may come to another end.
    if (placed.error().code != error_code::unavailable && placed.error().code != error_code::io)
      store_.remove(id);
    co_return fail(placed.error());
  }
  if (stored_bytes_)
    *stored_bytes_ += placed->added_bytes;
  store_.finished(whole, std::move(*placed), wall_clock_now());
  co_return state_of(whole);
}

result<upload_state> uploads::look_at(const std::string& id, const caller& who) {
  const auto found = find_own(id, who);
  if (!found)
    return fail(found.error());
  return state_of(**found);
}

result<void> uploads::remove(const std::string& id, const caller& who) {
  const auto found = find_own(id, who);
  if (!found)
    return fail(found.error());
  if ((*found)->is_finishing)
    return fail(error_code::conflict, "the upload is being finished", "ask for it again in a moment");
  store_.remove(id);
  return {};
}

void uploads::note_removed(std::uint64_t count) {
  if (stored_bytes_)
    *stored_bytes_ -= std::min(*stored_bytes_, count);
}

} // namespace ferry::http
