// The files of a job as one tar archive (POSIX.1-2001, "pax"), made while it is sent: no file is held in memory, nothing is stored.
#pragma once

#include "http/body_source.hpp"
#include "http/job_files.hpp"

#include <functional>

namespace ferry::http {

// What stands before a file's bytes: a ustar header, and a pax one before it where name or size do not fit that.
[[nodiscard]] std::string tar_header(const std::string& path, std::uint64_t bytes, instant modified);

class tar_stream final : public body_source {
public:
  // `open` opens one of the files anew; `top` is the folder that they are unpacked into.
  using opener = std::function<result<opened_file>(const job_file&)>;
  tar_stream(std::vector<job_file> files, std::string top, opener open)
      : files_(std::move(files)), top_(std::move(top)), open_(std::move(open)) {}

  // A file that is gone meanwhile is left out; one that shrinks while it is sent is an error, one that grows is cut.
  [[nodiscard]] boost::asio::awaitable<result<std::string>> next() override;

private:
  [[nodiscard]] result<void> begin_file(std::string& out);
  [[nodiscard]] result<void> add_piece(std::string& out);

  std::vector<job_file> files_;
  std::string top_;
  opener open_;
  std::size_t at_ = 0; // of files_
  opened_file now_;    // what is being sent; no file: none
  std::uint64_t sent_ = 0;
  bool has_ended_ = false;
};

} // namespace ferry::http
