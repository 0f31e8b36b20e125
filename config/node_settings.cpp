#include "config/node_settings.hpp"

#include <charconv>

namespace ferry::config {
namespace {

std::string host_of(const std::string& address) {
  const auto host = address.substr(0, address.rfind(':'));
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

std::uint16_t port_of(const std::string& address) {
  std::uint16_t number = 0;
  const auto begin = address.rfind(':') + 1;
  std::from_chars(address.data() + begin, address.data() + address.size(), number);
  return number;
}

} // namespace

std::string node_settings::address() const { return host_of(listen); }
std::uint16_t node_settings::port() const { return port_of(listen); }
std::string node_settings::head_host() const { return host_of(join); }
std::uint16_t node_settings::head_port() const { return port_of(join); }

} // namespace ferry::config
