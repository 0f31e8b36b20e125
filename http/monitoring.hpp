// The figures that monitoring asks for (/metrics), and the counts behind them.
#pragma once

#include "actors/status_board.hpp"
#include "http/probe.hpp"
#include "model/device.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace ferry::http {

// Requests that were answered. Routes, methods and statuses are few, so this has a bound by itself.
class request_counts {
public:
  struct kind {
    std::string method, route;
    unsigned status = 0;
    auto operator<=>(const kind&) const = default;
  };
  void add(kind what) { ++counts_[std::move(what)]; }
  [[nodiscard]] const std::map<kind, std::uint64_t>& all() const { return counts_; }

private:
  std::map<kind, std::uint64_t> counts_;
};

struct daemon_figures {
  actors::status_board::snapshot status;
  std::vector<device_reading> readings; // in the order of the status' devices
  std::map<request_counts::kind, std::uint64_t> requests;
  std::size_t event_streams = 0;
  instant started{}, now{};
};
// As Prometheus reads it (exposition format 0.0.4).
[[nodiscard]] std::string exposition(const daemon_figures& figures);

} // namespace ferry::http
