#include "cli/upload.hpp"

#include "cli/follow.hpp"
#include "cli/json_text.hpp"
#include "cli/sha256.hpp"
#include "cli/text.hpp"
#include "runners/descriptor.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace ferry::cli {
namespace {

constexpr std::int64_t piece_bytes = 8LL * 1024 * 1024;
constexpr int tries_max = 10; // of one piece, the pauses between them doubling: about a minute
constexpr std::chrono::milliseconds first_pause{50};
constexpr std::chrono::minutes finish_within{10}; // in which the daemon may bring the last bytes to its disk

class upload_in_pieces {
public:
  upload_in_pieces(context& c, const upload_plan& what) : c_(c), what_(what), shown_name_(printable(what.file.string())) {}

  result<uploaded> run(const std::function<void(std::int64_t, std::int64_t)>& told) {
    if (auto opened = open(); !opened)
      return fail(opened.error());
    if (auto begun = what_.resume ? look() : begin(); !begun)
      return fail(begun.error());
    const std::string how_to_go_on = "`ferry upload --resume " + id_ + " " + shown_name_ + "` goes on with it";
    say_on_interrupt("\nwhat has come is kept for a day; " + how_to_go_on + "\n");
    told(offset_, size_);
    while (path_.empty()) {
      if (auto sent = send_piece(); !sent) {
        error e = sent.error();
        if (e.hint.empty() && e.code != error_code::invalid_argument)
          e.hint = how_to_go_on;
        return tl::unexpected(std::move(e));
      }
      told(offset_, size_);
    }
    if (auto rest = hash_up_to(size_); !rest)
      return fail(rest.error());
    if (const std::string digest = digest_.finish(); digest != sha256_)
      return fail(error_code::invalid_argument, shown_name_ + " has changed while it was sent: what arrived is not what is there",
                  "upload it again");
    return uploaded{path_, sha256_, size_};
  }

private:
  result<void> open() {
    file_ = runners::descriptor(::open(what_.file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file_)
      return fail(errno == ENOENT ? error_code::not_found : error_code::io,
                  shown_name_ + " cannot be opened: " + std::strerror(errno));
    struct stat about {};
    if (::fstat(file_.get(), &about) != 0 || !S_ISREG(about.st_mode))
      return fail(error_code::invalid_argument, shown_name_ + " is no regular file");
    size_ = about.st_size;
    return {};
  }

  result<void> begin() {
    json plan{{"name", what_.dataset ? what_.file.filename().string() : what_.name}, {"bytes", size_}};
    if (what_.dataset) {
      plan["dataset"] = *what_.dataset;
      plan["path"] = what_.name;
    }
    const auto body = body_from(plan);
    if (!body)
      return fail(body.error());
    // Begun twice, one of the two is forgotten by the daemon after a day.
    const auto begun = c_.ask({.method = "POST", .path = "/uploads", .body = *body, .harmless = true});
    if (!begun)
      return fail(begun.error());
    id_ = text_field(*begun, "upload");
    offset_ = integer_field(*begun, "offset").value_or(0);
    return {};
  }

  // How far the upload is, wherever a connection broke.
  result<void> look() {
    if (what_.resume)
      id_ = *what_.resume;
    const auto state = c_.ask({.method = "GET", .path = "/uploads/" + query_escape(id_)});
    if (!state)
      return fail(state.error());
    if (const auto expected = integer_field(*state, "bytes").value_or(0); expected != size_)
      return fail(error_code::invalid_argument, "the upload " + printable(id_) + " is of a file of " + std::to_string(expected) +
                                                    " bytes, and " + shown_name_ + " has " + std::to_string(size_));
    take(*state);
    return {};
  }

  void take(const json& state) {
    offset_ = std::clamp<std::int64_t>(integer_field(state, "offset").value_or(0), 0, size_);
    path_ = text_field(state, "path");
    sha256_ = text_field(state, "sha256");
  }

  result<void> send_piece() {
    std::string piece(static_cast<std::size_t>(std::min(piece_bytes, size_ - offset_)), '\0');
    const std::int64_t from = offset_;
    if (auto got = read_at(from, piece); !got)
      return got;
    if (auto hashed = hash_up_to(from); !hashed) // of an upload that was begun before
      return hashed;
    if (const std::int64_t seen = std::clamp<std::int64_t>(hashed_ - from, 0, static_cast<std::int64_t>(piece.size()));
        hashed_ == from + seen) {
      digest_.add(std::string_view(piece).substr(static_cast<std::size_t>(seen))); // what is sent twice counts once
      hashed_ = from + static_cast<std::int64_t>(piece.size());
    }
    const request patch{.method = "PATCH",
                        .path = "/uploads/" + query_escape(id_),
                        .body = std::move(piece),
                        .wait = finish_within,
                        .headers = {{"Content-Type", "application/octet-stream"}, {"Upload-Offset", std::to_string(from)}}};
    auto pause = first_pause;
    for (int tries = 1;; ++tries, pause *= 2) {
      const auto answer = c_.ask(patch);
      if (answer) {
        take(*answer);
        return {};
      }
      const error_code code = answer.error().code;
      if (code != error_code::conflict && code != error_code::unavailable)
        return fail(answer.error());
      if (auto looked = look(); !looked)
        return looked;
      if (!path_.empty() || offset_ != from)
        return {};
      if (tries == tries_max)
        return fail(answer.error());
      std::this_thread::sleep_for(pause);
    }
  }

  result<void> read_at(std::int64_t from, std::string& into) const {
    std::size_t have = 0;
    while (have < into.size()) {
      const ssize_t got =
          ::pread(file_.get(), into.data() + have, into.size() - have, static_cast<off_t>(from) + static_cast<off_t>(have));
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return fail(error_code::io, shown_name_ + " cannot be read: " + std::strerror(errno));
      if (got == 0)
        return fail(error_code::invalid_argument, shown_name_ + " has become shorter while it was sent", "upload it again");
      have += static_cast<std::size_t>(got);
    }
    return {};
  }

  result<void> hash_up_to(std::int64_t end) {
    while (hashed_ < end) {
      std::string piece(static_cast<std::size_t>(std::min(piece_bytes, end - hashed_)), '\0');
      if (auto got = read_at(hashed_, piece); !got)
        return got;
      digest_.add(piece);
      hashed_ += static_cast<std::int64_t>(piece.size());
    }
    return {};
  }

  context& c_;
  const upload_plan& what_;
  std::string shown_name_;
  runners::descriptor file_;
  std::int64_t size_ = 0;
  std::string id_, path_, sha256_;
  std::int64_t offset_ = 0;
  sha256 digest_;
  std::int64_t hashed_ = 0; // bytes, from the beginning
};

} // namespace

result<uploaded> upload_file(context& c, const upload_plan& what,
                             const std::function<void(std::int64_t done, std::int64_t total)>& told) {
  return upload_in_pieces(c, what).run(told);
}

} // namespace ferry::cli
