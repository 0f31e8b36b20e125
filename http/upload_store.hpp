// Uploads that are on their way: <data_dir>/uploads/<id>.part holds what has come, <id>.json what its sender said of it. How far
// one has come is the size of its file, so that it goes on where it was after any end of the daemon.
//
// Used by the HTTP thread alone. What takes long is not done here: see place_upload().
#pragma once

#include "config/upload_rules.hpp"
#include "http/upload_placing.hpp"
#include "model/time.hpp"

#include <map>
#include <optional>

namespace ferry::http {

class upload_store {
public:
  struct upload {
    std::string id, user;
    upload_plan plan;
    std::uint64_t offset = 0; // so many bytes have come
    instant touched{};
    std::optional<placed_file> placed = {}; // it is finished
    bool is_finishing = false;
    std::uint64_t writer = 0; // the request that writes to it; a later one takes its place
    descriptor file = {};
    std::optional<sha256_stream> hash = {}; // of all that has come; none: it was begun by an earlier daemon
  };

  // `free_mib_min`: so much room is left on the disk.
  upload_store(std::filesystem::path data_dir, config::upload_rules rules, std::int64_t free_mib_min)
      : data_dir_(std::move(data_dir)), rules_(rules), free_mib_min_(free_mib_min) {}

  // Reads what an earlier daemon left. What cannot be read is removed: its sender begins anew.
  void restore(instant now);
  // `stored_bytes`: what inputs and datasets take. Errors: too_large, unavailable (too many are open), disk_full, io.
  [[nodiscard]] result<const upload*> begin(upload_plan plan, const std::string& user, std::uint64_t stored_bytes, instant now);
  [[nodiscard]] upload* find(const std::string& id);
  // Adds bytes at its offset, at most what is missing. Errors: disk_full, io; what had come before remains.
  [[nodiscard]] result<void> append(upload& to, std::string_view piece, instant now);
  // For place_upload(): from now on it `is_finishing`.
  [[nodiscard]] result<place_order> hand_over(upload& whole);
  // It is in its place; what it was is remembered for a while, for a sender that missed the answer.
  void finished(upload& whole, placed_file placed, instant now);
  void remove(const std::string& id);
  // Removes those to which nothing was added for too long.
  void expire(instant now);
  [[nodiscard]] std::size_t size() const { return uploads_.size(); }

private:
  [[nodiscard]] std::filesystem::path file_of(const std::string& id, const char* suffix) const;
  [[nodiscard]] result<void> check_room(std::uint64_t further_bytes) const;
  [[nodiscard]] result<void> check_bounds(const upload_plan& plan, std::uint64_t stored_bytes) const;
  [[nodiscard]] std::uint64_t bytes_promised() const; // of open ones, all they may take
  [[nodiscard]] std::uint64_t bytes_to_come() const;
  [[nodiscard]] result<void> write_record(const upload& one) const;
  [[nodiscard]] std::optional<upload> read_record(const std::filesystem::path& file) const;
  void forget_finished();

  std::filesystem::path data_dir_;
  config::upload_rules rules_;
  std::int64_t free_mib_min_;
  std::map<std::string, upload> uploads_;
};

} // namespace ferry::http
