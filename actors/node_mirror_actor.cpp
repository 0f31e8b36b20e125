#include "actors/node_mirror_actor.hpp"

#include "config/limits.hpp"
#include "runners/descriptor.hpp"
#include "runners/run_copy.hpp"
#include "runners/run_folders.hpp"

#include <algorithm>
#include <deque>
#include <fcntl.h>
#include <map>
#include <optional>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ferry::actors {
namespace {

using namespace std::chrono_literals;
namespace wire = remote::node;

constexpr duration growth_pause = 200ms; // between looks at what grows
constexpr int versions_max = 5;          // of a file that changes while it is copied, one after the other

std::optional<std::uint64_t> size_of(const std::filesystem::path& file) {
  struct stat found {};
  return ::stat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode) ? std::optional(static_cast<std::uint64_t>(found.st_size))
                                                                     : std::nullopt;
}

std::optional<std::string> read_piece(const std::filesystem::path& file, std::uint64_t offset) {
  const runners::descriptor open(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string bytes(limits::node_piece_bytes_max, '\0');
  const auto n = open ? ::pread(open.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) : -1;
  if (n < 0)
    return std::nullopt;
  bytes.resize(static_cast<std::size_t>(n));
  return bytes;
}

struct node_mirror_state {
  using handle = node_mirror_actor;

  node_mirror_state(handle::pointer self, node_mirror_parts parts) : self_(self), parts_(std::move(parts)) {}

  handle::behavior_type make_behavior() {
    send_later(self_, growth_pause, copy_due{});
    return {
        [this](const follow_files& what) {
          for (const auto& name : runners::growing_files())
            growing_.try_emplace({what.batch, name});
        },
        [this](copy_files& what) -> caf::result<done> {
          auto promise = self_->make_response_promise<done>();
          copies_.push_back({.what = std::move(what), .promise = promise});
          proceed();
          return promise;
        },
        [this](copy_file& what) -> caf::result<done> {
          auto promise = self_->make_response_promise<done>();
          copy one{.what = {what.batch, {}, false}, .promise = promise, .is_listed = true};
          if (auto file = runners::file_of_run(parts_.runs / to_string(what.batch), what.path))
            one.files.push_back(std::move(*file));
          copies_.push_back(std::move(one));
          proceed();
          return promise;
        },
        [this](const remove_files& what) {
          forget_growing(what.batch);
          runners::remove_run_folder(parts_.runs, what.batch);
        },
        [this](copy_due) {
          rests_ = false;
          proceed();
          send_later(self_, growth_pause, copy_due{});
        },
    };
  }

private:
  using growing_file = std::pair<batch_id, std::string>; // its path below the run's directory

  // How far the head has a file.
  struct reach {
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> asked = {}; // where the last piece began: one that begins there again leads nowhere
    bool is_whole = false;                   // and has its name there
  };

  struct copy {
    copy_files what;
    caf::typed_response_promise<done> promise;
    std::vector<runners::finished_file> files = {};
    std::size_t at = 0; // of `files`
    reach of_file = {};
    int versions = 1; // of that file, so far
    bool is_listed = false;
    std::size_t synced = 0; // of what grows, at the end
  };

  [[nodiscard]] std::filesystem::path path_of(batch_id batch, const std::string& path) const {
    return parts_.runs / to_string(batch) / path;
  }

  void proceed() {
    if (is_asking_ || rests_)
      return;
    for (auto& [file, known] : growing_)
      if (const auto size = size_of(path_of(file.first, file.second)); size && *size > known.bytes) {
        send_growing(file, known.bytes, false);
        return;
      }
    while (!copies_.empty())
      if (send_next(copies_.front()))
        return;
  }

  void send_growing(const growing_file& file, std::uint64_t offset, bool is_last) {
    auto bytes = is_last ? std::optional<std::string>(std::in_place) : read_piece(path_of(file.first, file.second), offset);
    if (!bytes) {
      growing_.erase(file);
      return;
    }
    ask(file.first, file.second, offset, std::move(*bytes), is_last, 0, [this, file, is_last](std::uint64_t reached) {
      if (const auto known = growing_.find(file); known != growing_.end())
        known->second.bytes = reached;
      if (is_last && !copies_.empty())
        ++copies_.front().synced;
    });
  }

  // False: nothing is left to be done for it, and it is gone.
  bool send_next(copy& one) {
    const batch_id batch = one.what.batch;
    if (!one.is_listed) {
      one.is_listed = true;
      for (const job_id job : one.what.jobs) {
        auto left = runners::files_of_job(parts_.runs / to_string(batch), job);
        if (!left)
          spdlog::error("{}", to_string(left.error()));
        else
          one.files.insert(one.files.end(), left->begin(), left->end());
      }
    }
    while (one.at < one.files.size()) {
      if (send_file(one, one.files[one.at]))
        return true;
      next_file(one);
    }
    const auto& names = runners::growing_files();
    while (one.what.is_over && one.synced < names.size()) {
      const growing_file file{batch, names[one.synced]};
      const auto known = growing_.find(file);
      if (const auto size = size_of(path_of(batch, file.second)); size && known != growing_.end()) {
        send_growing(file, known->second.bytes, true);
        return true;
      }
      ++one.synced;
    }
    if (one.what.is_over)
      forget_growing(batch);
    auto promise = one.promise;
    copies_.pop_front();
    promise.deliver(done{});
    return false;
  }

  static void next_file(copy& one) {
    ++one.at;
    one.of_file = {};
    one.versions = 1;
  }

  [[nodiscard]] bool is_still(const copy& one, const runners::finished_file& file) const {
    const auto now = runners::file_of_run(parts_.runs / to_string(one.what.batch), file.path);
    return now && now->bytes == file.bytes && now->modified_ns == file.modified_ns;
  }

  // It was written anew while it was read, so what was sent belongs to no version of it, and never gets its name.
  bool send_newer(copy& one) {
    auto& file = one.files[one.at];
    auto newer = runners::file_of_run(parts_.runs / to_string(one.what.batch), file.path);
    if (!newer || ++one.versions > versions_max) {
      spdlog::warn("{} of batch {} is not copied to the head: it {}", file.path, one.what.batch.value,
                   newer ? "does not stand still" : "is gone");
      return false;
    }
    file = std::move(*newer);
    one.of_file = {};
    return send_file(one, file);
  }

  // False: the head has all of it, or will never have it.
  bool send_file(copy& one, const runners::finished_file& file) {
    auto& of = one.of_file;
    if (of.is_whole)
      return false;
    auto bytes = read_piece(path_of(one.what.batch, file.path), of.bytes);
    if (!bytes || of.asked == of.bytes || of.bytes > file.bytes) {
      spdlog::error("{} of batch {} cannot be copied to the head: {}", file.path, one.what.batch.value,
                    bytes ? "the head has another file there" : "it cannot be read");
      return false;
    }
    if (of.bytes + bytes->size() > file.bytes) // it has grown since it was listed
      bytes->resize(file.bytes - of.bytes);
    // A head that has all of it, and yet died before it had its name, is sent an empty last piece.
    const bool is_last = of.bytes + bytes->size() >= file.bytes;
    if ((is_last || bytes->empty()) && !is_still(one, file))
      return send_newer(one);
    of.asked = of.bytes;
    ask(one.what.batch, file.path, of.bytes, std::move(*bytes), is_last, file.modified_ns,
        [this, is_last, size = file.bytes](std::uint64_t reached) {
          if (copies_.empty())
            return;
          auto& reached_by = copies_.front().of_file;
          reached_by.is_whole = is_last && reached == size;
          if (reached != *reached_by.asked)
            reached_by.bytes = reached;
        });
    return true;
  }

  template <class Then>
  void ask(batch_id batch, const std::string& path, std::uint64_t offset, std::string bytes, bool is_last, std::int64_t modified_ns,
           Then then) {
    is_asking_ = true;
    request(self_, parts_.head, parts_.patience,
            wire::piece{parts_.name, parts_.session, batch, path, offset, std::move(bytes), is_last, modified_ns})
        .then(
            [this, batch, path, then = std::move(then)](const remote::answer<wire::piece_taken>& got) {
              is_asking_ = false;
              if (const auto* taken = std::get_if<wire::piece_taken>(&got))
                then(taken->bytes);
              else
                refused(batch, path, remote::to_error(std::get<remote::refusal>(got)));
              proceed();
            },
            [this](const caf::error& why) { parts_.on_ended(to_string(why)); });
  }

  void refused(batch_id batch, const std::string& path, const error& why) {
    if (why.code == error_code::conflict) {
      parts_.on_ended(to_string(why));
      return;
    }
    if (why.code == error_code::not_found) { // the head does not know of that run any more
      forget_growing(batch);
      for (auto at = copies_.begin(); at != copies_.end();)
        if (at->what.batch == batch) {
          at->promise.deliver(done{});
          at = copies_.erase(at);
        } else {
          ++at;
        }
      return;
    }
    if (std::exchange(last_refusal_, to_string(why)) != to_string(why))
      spdlog::error("the head cannot take {} of batch {}: {}", path, batch.value, to_string(why));
    if (why.code == error_code::invalid_argument && growing_.erase({batch, path}) > 0)
      return; // it never will
    if (why.code == error_code::invalid_argument && !copies_.empty() && copies_.front().what.batch == batch) {
      next_file(copies_.front());
      return;
    }
    if (!copies_.empty())
      copies_.front().of_file.asked.reset(); // it is sent again
    rests_ = true;                           // its disk may be full: until the next look
  }

  void forget_growing(batch_id batch) {
    std::erase_if(growing_, [&](const auto& one) { return one.first.first == batch; });
  }

  handle::pointer self_;
  node_mirror_parts parts_;
  std::map<growing_file, reach> growing_;
  std::deque<copy> copies_;
  std::string last_refusal_;
  bool is_asking_ = false;
  bool rests_ = false;
};

} // namespace

node_mirror_actor spawn_node_mirror(caf::actor_system& system, node_mirror_parts parts) {
  return spawn<node_mirror_state, caf::detached>(system, std::move(parts));
}

} // namespace ferry::actors
