// events.jsonl of one run: append only. What is on disk is announced to the daemons that listen.
#pragma once

#include "runners/packets.hpp"
#include "runners/run_directory.hpp"

#include <functional>
#include <string>

namespace ferry::runners {

class event_log {
public:
  using announcer = std::function<void(const notice&)>;

  event_log(batch_id batch, announcer announce) : batch_(batch), announce_(std::move(announce)) {}

  // Errors: disk_full, io.
  [[nodiscard]] result<void> open(int directory);
  // Written by the next flush, several in one go.
  void add(const json& line);
  // False: some could not be written (the disk is full) and waits for the next flush.
  bool flush();
  // The file, to be synced: nothing more will be written.
  [[nodiscard]] descriptor take_file() { return std::move(file_); }
  // Tells the listeners, stores nothing.
  void pass(const json& line) const;

private:
  batch_id batch_;
  announcer announce_;
  descriptor file_;
  std::int64_t offset_ = 0;
  std::string waiting_;     // whole lines
  std::size_t written_ = 0; // of them
};

} // namespace ferry::runners
