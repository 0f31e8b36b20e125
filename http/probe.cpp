#include "http/probe.hpp"

namespace ferry::http {

probe probe_of(std::string_view target) {
  const auto path = target.substr(0, target.find('?'));
  if (path == "/healthz")
    return probe::health;
  if (path == "/readyz")
    return probe::ready;
  return path == "/metrics" ? probe::figures : probe::none;
}

} // namespace ferry::http
