#include "config/node_settings.hpp"

#include <charconv>

namespace ferry::config {

std::string node_settings::address() const {
  const auto host = listen.substr(0, listen.rfind(':'));
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

std::uint16_t node_settings::port() const {
  std::uint16_t number = 0;
  const auto begin = listen.rfind(':') + 1;
  std::from_chars(listen.data() + begin, listen.data() + listen.size(), number);
  return number;
}

} // namespace ferry::config
