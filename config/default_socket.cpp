#include "config/loader.hpp"
#include "config/locations.hpp"

#include <cstdlib>

namespace ferry::config {

// Apart from the loader, so that a command line that only wants the socket neither reads nor links job types.
std::filesystem::path default_socket() {
  if (const char* named = std::getenv("FERRY_SOCKET"); named != nullptr && *named != '\0')
    return std::filesystem::absolute(named).lexically_normal();
  settings s;
  if (const std::filesystem::path file = find_config_file(); !file.empty())
    if (const auto text = read_config_text(file))
      if (const auto root = parse_toml(*text, file)) {
        toml_reader reader(file); // its problems are the daemon's to report
        read_options(reader, *root, s);
      }
  fill_default_paths(s);
  return s.http.socket;
}

} // namespace ferry::config
