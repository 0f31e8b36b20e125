#include "http/upload_store.hpp"

#include "config/limits.hpp"

#include "http/token_store.hpp"
#include "model/job.hpp"

#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace ferry::http {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mib = 1024 * 1024;
constexpr std::size_t id_digits = 32;

bool is_id(const std::string& text) {
  return text.size() == id_digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

instant modified_of(const struct stat& about) {
  return from_unix_ms(std::int64_t{about.st_mtim.tv_sec} * 1000 + about.st_mtim.tv_nsec / 1'000'000);
}

} // namespace

fs::path upload_store::file_of(const std::string& id, const char* suffix) const { return data_dir_ / "uploads" / (id + suffix); }

// Not synced: a record that a power cut takes costs its sender a new beginning, and a sync here would hold up all requests.
result<void> upload_store::write_record(const upload& one) const {
  json document{{"user", one.user},          {"name", one.plan.name},       {"bytes", one.plan.bytes},
                {"sha256", one.plan.sha256}, {"dataset", one.plan.dataset}, {"path", one.plan.path}};
  if (one.placed)
    document["placed"] = {{"path", one.placed->path}, {"sha256", one.placed->sha256}};
  const auto file = file_of(one.id, ".json"), next = file_of(one.id, ".new");
  std::ofstream out(next);
  out << document.dump() << std::flush;
  std::error_code failed;
  if (out)
    fs::rename(next, file, failed);
  if (out && !failed)
    return {};
  const int why = failed ? failed.value() : errno;
  fs::remove(next, failed);
  return fail(file_error(why, "cannot write " + file.string()));
}

std::optional<upload_store::upload> upload_store::read_record(const fs::path& file) const {
  upload one;
  one.id = file.stem().string();
  std::ifstream in(file);
  const auto document = json::parse(in, nullptr, false);
  struct stat about {};
  try {
    one.user = document.at("user").get<std::string>();
    one.plan = {.name = document.at("name").get<std::string>(),
                .bytes = document.at("bytes").get<std::uint64_t>(),
                .sha256 = document.at("sha256").get<std::string>(),
                .dataset = document.at("dataset").get<std::string>(),
                .path = document.at("path").get<std::vector<std::string>>()};
    if (document.contains("placed")) {
      const auto& placed = document.at("placed");
      one.placed = placed_file{placed.at("path").get<std::string>(), placed.at("sha256").get<std::string>(), 0};
      one.offset = one.plan.bytes;
      if (::stat(file.c_str(), &about) != 0)
        return std::nullopt;
      one.touched = modified_of(about);
      return one;
    }
  } catch (const json::exception&) { return std::nullopt; }
  one.file = descriptor(::open(file_of(one.id, ".part").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  // Without a file it was given its place in the moment in which the daemon died.
  if (!one.file || ::fstat(one.file.get(), &about) != 0 || static_cast<std::uint64_t>(about.st_size) > one.plan.bytes)
    return std::nullopt;
  one.offset = static_cast<std::uint64_t>(about.st_size);
  one.touched = modified_of(about);
  return one;
}

void upload_store::restore(instant now) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::directory_iterator at(data_dir_ / "uploads", failed), end; !failed && at != end; at.increment(failed))
    files.push_back(at->path());
  for (const auto& file : files)
    if (file.extension() == ".json" && is_id(file.stem().string()))
      if (auto one = read_record(file)) {
        const auto id = one->id;
        uploads_.emplace(id, std::move(*one));
      }
  for (const auto& file : files) // what belongs to none of them
    if (!uploads_.contains(file.stem().string()) || file.extension() == ".new")
      fs::remove(file, failed);
  expire(now);
  forget_finished();
}

std::uint64_t upload_store::bytes_promised() const {
  std::uint64_t all = 0;
  for (const auto& [id, one] : uploads_)
    all += one.placed ? 0 : one.plan.bytes;
  return all;
}

std::uint64_t upload_store::bytes_to_come() const {
  std::uint64_t all = 0;
  for (const auto& [id, one] : uploads_)
    all += one.plan.bytes - one.offset;
  return all;
}

// As the watchdog has it: below storage.free_mib_min the disk counts as full.
result<void> upload_store::check_room(std::uint64_t further_bytes) const {
  struct statvfs disk {};
  if (::statvfs(data_dir_.c_str(), &disk) != 0)
    return {}; // writing will tell
  const auto free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  const auto kept = static_cast<std::uint64_t>(free_mib_min_) * mib;
  if (free >= kept && free - kept >= further_bytes)
    return {};
  return fail(error_code::disk_full,
              "the disk has no room for it: " + std::to_string(free / mib) + " MiB are free, " +
                  std::to_string((further_bytes + mib - 1) / mib) + " MiB are to come, and storage.free_mib_min is " +
                  std::to_string(free_mib_min_),
              "make room, then upload it again");
}

result<void> upload_store::check_bounds(const upload_plan& plan, std::uint64_t stored_bytes) const {
  if (plan.bytes > static_cast<std::uint64_t>(rules_.max_file_mib) * mib)
    return fail(error_code::too_large, "the file has " + std::to_string(plan.bytes) + " bytes; uploads.max_file_mib is " +
                                           std::to_string(rules_.max_file_mib));
  const auto open = std::count_if(uploads_.begin(), uploads_.end(), [](const auto& one) { return !one.second.placed; });
  if (static_cast<std::size_t>(open) >= limits::uploads_open_max)
    return fail(error_code::unavailable,
                "there are " + std::to_string(open) + " uploads that are not finished; at most " +
                    std::to_string(limits::uploads_open_max) + " are allowed",
                "finish some of them, or remove them");
  if (stored_bytes + bytes_promised() + plan.bytes > static_cast<std::uint64_t>(rules_.max_total_mib) * mib)
    return fail(error_code::disk_full,
                "inputs, datasets and open uploads take " + std::to_string((stored_bytes + bytes_promised()) / mib) + " MiB, and " +
                    std::to_string((plan.bytes + mib - 1) / mib) + " MiB more are wanted; uploads.max_total_mib is " +
                    std::to_string(rules_.max_total_mib),
                "delete datasets, or inputs that no job needs any more");
  return check_room(plan.bytes + bytes_to_come());
}

result<const upload_store::upload*> upload_store::begin(upload_plan plan, const std::string& user, std::uint64_t stored_bytes,
                                                        instant now) {
  expire(now);
  if (auto fits = check_bounds(plan, stored_bytes); !fits)
    return fail(fits.error());
  const auto folder = make_folder(data_dir_ / "uploads");
  auto id = make_token();
  if (!folder || !id)
    return fail(folder ? id.error() : folder.error());
  upload one;
  one.id = id->substr(0, id_digits);
  one.user = user;
  one.plan = std::move(plan);
  one.touched = now;
  one.hash.emplace();
  one.file = descriptor(::open(file_of(one.id, ".part").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!one.file)
    return fail(file_error(errno, "cannot write to " + (data_dir_ / "uploads").string()));
  if (auto written = write_record(one); !written) {
    std::error_code ignored;
    fs::remove(file_of(one.id, ".part"), ignored);
    return fail(written.error());
  }
  auto& kept = uploads_[one.id];
  kept = std::move(one);
  return &kept;
}

upload_store::upload* upload_store::find(const std::string& id) {
  const auto found = uploads_.find(id);
  return found == uploads_.end() ? nullptr : &found->second;
}

result<void> upload_store::append(upload& to, std::string_view piece, instant now) {
  if (auto room = check_room(piece.size()); !room)
    return room;
  while (!piece.empty()) {
    const auto n = ::pwrite(to.file.get(), piece.data(), piece.size(), static_cast<off_t>(to.offset));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return fail(file_error(n < 0 ? errno : EIO, "the upload cannot be written"));
    if (to.hash)
      to.hash->add(piece.substr(0, static_cast<std::size_t>(n)));
    to.offset += static_cast<std::uint64_t>(n);
    piece.remove_prefix(static_cast<std::size_t>(n));
  }
  to.touched = now;
  return {};
}

result<place_order> upload_store::hand_over(upload& whole) {
  descriptor file(::fcntl(whole.file.get(), F_DUPFD_CLOEXEC, 0));
  if (!file)
    return fail(file_error(errno, "the upload cannot be read"));
  whole.is_finishing = true;
  place_order order{data_dir_, file_of(whole.id, ".part"), std::move(file), {}, whole.plan};
  if (whole.hash)
    order.hash = std::move(*whole.hash);
  whole.hash.reset(); // should it fail, the next try reads all of it again
  return order;
}

void upload_store::finished(upload& whole, placed_file placed, instant now) {
  whole.placed = std::move(placed);
  whole.is_finishing = false;
  whole.touched = now;
  whole.file.reset();
  if (auto written = write_record(whole); !written)
    spdlog::warn("an upload is finished, but that is not remembered: {}", written.error().what);
  forget_finished();
}

void upload_store::forget_finished() {
  std::vector<std::pair<instant, std::string>> finished;
  for (const auto& [id, one] : uploads_)
    if (one.placed)
      finished.emplace_back(one.touched, id);
  if (finished.size() <= limits::uploads_finished_kept)
    return;
  std::sort(finished.begin(), finished.end());
  for (std::size_t i = 0; i < finished.size() - limits::uploads_finished_kept; ++i)
    remove(finished[i].second);
}

void upload_store::remove(const std::string& id) {
  uploads_.erase(id);
  std::error_code ignored;
  for (const char* suffix : {".json", ".part"}) // in this order: without a record nothing is taken for an upload
    fs::remove(file_of(id, suffix), ignored);
}

void upload_store::expire(instant now) {
  std::vector<std::string> old;
  for (const auto& [id, one] : uploads_)
    if (!one.is_finishing && now - one.touched > duration{limits::upload_idle_ms_max})
      old.push_back(id);
  for (const auto& id : old)
    remove(id);
  if (!old.empty())
    spdlog::info("{} uploads are removed: nothing came for a day", old.size());
}

} // namespace ferry::http
