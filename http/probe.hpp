// What monitoring asks of the daemon, outside of the API: /healthz, /readyz and /metrics.
#pragma once

#include <string_view>

namespace ferry::http {

enum class probe {
  none,   // another path
  health, // it serves; needs no token, for it tells nothing else
  ready,  // its queue answers; needs no token either
  figures // Prometheus' text form; needs a token, as the API does
};
// `target`: as sent, with its query.
[[nodiscard]] probe probe_of(std::string_view target);

} // namespace ferry::http
