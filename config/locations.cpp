#include "config/locations.hpp"

#include <cstdio>
#include <cstdlib>
#include <pwd.h>
#include <string>
#include <system_error>
#include <unistd.h>

namespace ferry::config {
namespace {

namespace fs = std::filesystem;

// An environment variable that holds an absolute path, else empty: the XDG specification has relative ones ignored.
fs::path absolute_path_in(const char* variable) {
  const char* value = std::getenv(variable);
  fs::path path = value == nullptr ? "" : value;
  return path.is_absolute() ? path : fs::path{};
}

fs::path or_below_home(const char* variable, const char* below_home) {
  const fs::path set = absolute_path_in(variable);
  return set.empty() ? home_directory() / below_home : set;
}

// Read as a file: getpwuid() would load libraries, which the statically linked `ferry` may not find.
template <class Use>
void find_account(uid_t id, Use&& use) {
  std::FILE* users = std::fopen("/etc/passwd", "re");
  if (users == nullptr)
    return;
  for (const passwd* entry; (entry = fgetpwent(users)) != nullptr;)
    if (entry->pw_uid == id) {
      use(*entry);
      break;
    }
  std::fclose(users);
}

} // namespace

fs::path home_directory() {
  if (fs::path home = absolute_path_in("HOME"); !home.empty())
    return home;
  fs::path home;
  find_account(getuid(), [&](const passwd& entry) { home = entry.pw_dir == nullptr ? "" : entry.pw_dir; });
  return home.is_absolute() ? home : "/";
}

std::string login_name(unsigned id) {
  std::string name;
  find_account(id, [&](const passwd& entry) { name = entry.pw_name == nullptr ? "" : entry.pw_name; });
  return name.empty() ? std::to_string(id) : name;
}

fs::path certificates_folder() { return or_below_home("XDG_CONFIG_HOME", ".config") / "ferry/certs"; }

void fill_default_paths(settings& s) {
  if (s.storage.data_dir.empty())
    s.storage.data_dir = or_below_home("XDG_DATA_HOME", ".local/share") / "ferry";
  if (s.http.tcp.token_file.empty())
    s.http.tcp.token_file = s.storage.data_dir / "token";
  if (!s.http.socket.empty())
    return;
  if (const char* named = std::getenv("FERRY_SOCKET"); named != nullptr && *named != '\0') {
    s.http.socket = fs::absolute(named).lexically_normal();
    return;
  }
  std::error_code ignored;
  const fs::path runtime = absolute_path_in("XDG_RUNTIME_DIR");
  s.http.socket = (!runtime.empty() && fs::is_directory(runtime, ignored) ? runtime : s.storage.data_dir) / "ferry.sock";
}

fs::path find_config_file() {
  if (const char* named = std::getenv("FERRY_CONFIG"); named != nullptr && *named != '\0')
    return named; // also when it does not exist: another file instead of the one named would be a surprise
  std::error_code ignored;
  for (const fs::path& candidate :
       {or_below_home("XDG_CONFIG_HOME", ".config") / "ferry/ferry.toml", fs::path("/etc/ferry/ferry.toml")})
    if (fs::exists(candidate, ignored))
      return candidate;
  return {};
}

} // namespace ferry::config
