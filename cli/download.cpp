#include "cli/download.hpp"

#include "cli/text.hpp"
#include "runners/descriptor.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace ferry::cli {
namespace {

namespace fs = std::filesystem;

constexpr int tries_max = 10; // without a byte of progress, the pauses between them doubling: about a minute
constexpr std::chrono::milliseconds first_pause{50};
constexpr std::size_t name_bytes_max = 255;

error trouble(const fs::path& file, const char* doing) {
  return {error_code::io, printable(file.string()) + " cannot be " + doing + ": " + std::strerror(errno), {}, {}};
}

error name_is_taken(const fs::path& file) {
  return {error_code::conflict, printable(file.string()) + " is there already, and another file", "--force replaces it", {}};
}

timespec to_timespec(instant t) {
  const std::int64_t ms = to_unix_ms(t);
  return {.tv_sec = ms / 1000, .tv_nsec = static_cast<long>(ms % 1000) * 1'000'000};
}

enum class at_name { nothing, same, other };

at_name look_at(const download_plan& what) {
  struct stat there {};
  if (::lstat(what.to.c_str(), &there) != 0)
    return at_name::nothing;
  const bool same = S_ISREG(there.st_mode) && there.st_size == what.bytes && what.modified &&
                    there.st_mtim.tv_sec == to_timespec(*what.modified).tv_sec &&
                    there.st_mtim.tv_nsec == to_timespec(*what.modified).tv_nsec;
  return same ? at_name::same : at_name::other;
}

result<void> make_folders(const fs::path& file) {
  std::error_code failed;
  if (file.has_parent_path())
    fs::create_directories(file.parent_path(), failed);
  if (failed)
    return fail(error_code::io, "the folder " + printable(file.parent_path().string()) + " cannot be made: " + failed.message());
  return {};
}

// Where a file lies as long as it is not whole. The ETag in its name says of which state of the daemon's file it is a part.
fs::path part_of(const fs::path& file, const std::string& etag) {
  std::string mark;
  std::ranges::copy_if(etag, std::back_inserter(mark), [](char c) { return c == '-' || c == '.' || std::isalnum(c) != 0; });
  const std::string behind = (mark.empty() ? "" : "." + mark) + ".part";
  std::string name = "." + file.filename().string();
  name.resize(std::min(name.size(), name_bytes_max - std::min(name_bytes_max, behind.size())));
  return file.parent_path() / (name + behind);
}

result<void> write_piece(int to, const fs::path& file, std::string_view piece) {
  while (!piece.empty()) {
    const ssize_t written = ::write(to, piece.data(), piece.size());
    if (written < 0 && errno != EINTR)
      return tl::unexpected(trouble(file, "written"));
    if (written > 0)
      piece.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// The whole file gets its name; with the time that the daemon's has, so that it is known again.
result<void> give_name(int file, const fs::path& part, const download_plan& what) {
  if (what.modified) {
    const timespec times[] = {to_timespec(*what.modified), to_timespec(*what.modified)};
    if (::futimens(file, times) != 0)
      return tl::unexpected(trouble(part, "dated"));
  }
  if (::renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, what.to.c_str(), what.replace ? 0 : RENAME_NOREPLACE) == 0)
    return {};
  return tl::unexpected(errno == EEXIST ? name_is_taken(what.to) : trouble(what.to, "written"));
}

// The bytes of one file as they come, over as many requests as it takes.
class file_in_pieces {
public:
  file_in_pieces(context& c, const download_plan& what, const transfer_told& told) : c_(c), what_(what), told_(told) {}

  result<void> run() {
    const auto head = c_.daemon().send({.method = "HEAD", .path = what_.path});
    if (!head)
      return fail(head.error());
    etag_ = head->etag;
    total_ = std::max<std::int64_t>(0, head->length);
    part_ = part_of(what_.to, etag_);
    file_ = runners::descriptor(::open(part_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_APPEND, 0666));
    struct stat there {};
    if (!file_ || ::fstat(file_.get(), &there) != 0)
      return tl::unexpected(trouble(part_, "opened"));
    have_ = there.st_size;
    if (etag_.empty() || have_ > total_)
      if (auto cut = start_over(); !cut)
        return cut;
    told_(have_, total_);
    if (auto fetched = fetch(); !fetched)
      return fetched;
    return give_name(file_.get(), part_, what_);
  }

private:
  result<void> fetch() {
    auto pause = first_pause;
    for (int tries = 0; have_ < total_;) {
      const std::int64_t before = have_;
      const auto answer = c_.daemon().send(rest());
      if (have_ > before) {
        tries = 0;
        pause = first_pause;
      }
      if (answer && have_ < total_)
        return fail(error_code::conflict, printable(what_.to.filename().string()) + " has become shorter while it was fetched",
                    "fetch it again");
      if (answer)
        break;
      if (answer.error().code != error_code::unavailable || ++tries == tries_max)
        return fail(answer.error());
      std::this_thread::sleep_for(pause);
      pause *= 2;
    }
    return {};
  }

  request rest() {
    request get{.method = "GET", .path = what_.path};
    if (have_ > 0)
      get.headers = {{"Range", "bytes=" + std::to_string(have_) + "-"}, {"If-Range", etag_}};
    get.take = [this, first = true](const response& head, std::string_view piece) mutable -> result<void> {
      if (std::exchange(first, false)) {
        const bool goes_on = head.status == 206 && head.range_from == have_;
        if (!goes_on) { // it is another file by now
          if (auto cut = start_over(); !cut)
            return cut;
          etag_ = head.etag;
          total_ = std::max<std::int64_t>(0, head.length);
        }
      }
      if (auto written = write_piece(file_.get(), part_, piece); !written)
        return written;
      have_ += static_cast<std::int64_t>(piece.size());
      told_(have_, total_);
      return {};
    };
    return get;
  }

  result<void> start_over() {
    if (::ftruncate(file_.get(), 0) != 0)
      return tl::unexpected(trouble(part_, "written"));
    have_ = 0;
    return {};
  }

  context& c_;
  const download_plan& what_;
  const transfer_told& told_;
  std::string etag_;
  fs::path part_;
  runners::descriptor file_;
  std::int64_t have_ = 0, total_ = 0;
};

} // namespace

result<bool> download_file(context& c, const download_plan& what, const transfer_told& told) {
  switch (look_at(what)) {
  case at_name::same: return false;
  case at_name::nothing: break;
  case at_name::other:
    if (!what.replace)
      return tl::unexpected(name_is_taken(what.to));
  }
  if (auto made = make_folders(what.to); !made)
    return fail(made.error());
  auto done = file_in_pieces(c, what, told).run();
  return done ? result<bool>(true) : fail(done.error());
}

result<std::int64_t> download_stream(context& c, const download_plan& what, const transfer_told& told) {
  const bool to_output = what.to == "-";
  if (!to_output && !what.replace && look_at(what) != at_name::nothing)
    return tl::unexpected(name_is_taken(what.to));
  if (auto made = to_output ? result<void>() : make_folders(what.to); !made)
    return fail(made.error());
  const fs::path part = part_of(what.to, {});
  runners::descriptor file;
  if (!to_output) {
    file.reset(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!file)
      return tl::unexpected(trouble(part, "opened"));
  }
  std::int64_t have = 0;
  const auto answer = c.daemon().send({.method = "GET", .path = what.path, .take = [&](const response&, std::string_view piece) {
                                         have += static_cast<std::int64_t>(piece.size());
                                         told(have, 0);
                                         return to_output ? write_all(STDOUT_FILENO, piece) : write_piece(file.get(), part, piece);
                                       }});
  if (!answer) {
    if (!to_output)
      ::unlink(part.c_str()); // it cannot be gone on with
    return fail(answer.error());
  }
  if (!to_output)
    if (auto named = give_name(file.get(), part, what); !named)
      return fail(named.error());
  return have;
}

result<fs::path> safe_relative_path(const std::string& path) {
  fs::path safe;
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const std::string part = path.substr(at, end - at);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string::npos)
      return fail(error_code::internal, "the daemon names a file that has no safe path: " + printable(path));
    safe /= part;
    at = end + 1;
  }
  return safe;
}

} // namespace ferry::cli
