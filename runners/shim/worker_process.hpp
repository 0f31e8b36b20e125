// A worker under this shim: a process that stays, told what to do and heard in JSON lines (docs/worker_protocol.md). It is asked to
// end, and then made to, with all that descends from it.
#pragma once

#include "runners/line_splitter.hpp"
#include "runners/run_spec.hpp"
#include "runners/shim/process_tree.hpp"
#include "runners/shim/shim_record.hpp"

#include <functional>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::runners {

class worker_process {
public:
  using clock = process_tree::clock;
  struct listener {
    std::function<void(std::string_view)> said;    // a line of its standard output
    std::function<void(std::string_view)> printed; // bytes of its standard error
  };

  // `lock` is the locked shim.lock of its directory: it is let go when this goes.
  worker_process(run_spec first, descriptor lock, descriptor directory);

  // Errors: invalid_argument with a sentence for the user, disk_full, io; then there is no process.
  [[nodiscard]] result<void> start(shim_record& shim);

  [[nodiscard]] worker_id id() const { return spec_.worker->id; }
  [[nodiscard]] int directory() const { return directory_.get(); }
  [[nodiscard]] int pid() const { return process_.pid(); }
  // Since boot, around its start: tells the process from another with its pid.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> start_ticks() const { return start_ticks_; }

  // Adds its descriptors to what is polled, and hears those that have something, once polled.
  void watch(std::vector<pollfd>& sources) const;
  // `sources` from `first` on are what watch() added.
  void hear(const std::vector<pollfd>& sources, std::size_t first, const listener& to);

  // Whole lines, kept until it reads them.
  void tell(const json& line);
  // It has not read what it was told since then; nothing: there is nothing to read.
  [[nodiscard]] std::optional<clock::time_point> deaf_since() const { return deaf_since_; }

  // Lines that were too long to be taken.
  [[nodiscard]] std::int64_t overlong() const { return lines_.dropped(); }

  // TERM, and KILL after `grace`; a second call can shorten the grace.
  void end(std::chrono::milliseconds grace);
  [[nodiscard]] bool is_ending() const { return stage_ != stage::living; }
  void proceed();
  [[nodiscard]] clock::time_point next_due() const;
  // Nothing of it lives, and all that it said was heard.
  [[nodiscard]] bool is_gone() const { return process_.is_gone() && !output_ && !errors_; }
  [[nodiscard]] std::optional<int> status() const { return process_.status(); }

private:
  enum class stage { living, asked_to_end, killing };
  // False: it is closed.
  template <class Feed>
  bool read_all(descriptor& from, const Feed& feed);
  void flush();

  run_spec spec_;
  descriptor lock_;
  descriptor directory_;
  descriptor input_, output_, errors_; // its standard streams, seen from here
  process_tree process_;
  std::pair<std::uint64_t, std::uint64_t> start_ticks_{};
  line_splitter lines_;
  std::string untold_; // whole lines that it has not read
  std::optional<clock::time_point> deaf_since_;
  stage stage_ = stage::living;
  clock::time_point due_ = clock::time_point::max();
};

} // namespace ferry::runners
