#include "runners/process_table.hpp"

#include "runners/descriptor.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/syscall.h>
#include <unistd.h>
#include <unordered_map>

namespace ferry::runners {
namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  return bad == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// proc(5): pid (name) state ppid pgrp session … with the start time as field 22. The name may hold spaces and parentheses.
std::optional<process_entry> parse_stat(int pid, std::string_view text) {
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= text.size())
    return std::nullopt;
  process_entry entry;
  entry.pid = pid;
  text.remove_prefix(name_end + 2);
  for (int field = 3; field <= 22 && !text.empty(); ++field) {
    const std::string_view word = text.substr(0, text.find(' '));
    switch (field) {
    case 3: entry.state = word.empty() ? '?' : word.front(); break;
    case 4: entry.parent = number(word).value_or(0); break;
    case 5: entry.group = number(word).value_or(0); break;
    case 6: entry.session = number(word).value_or(0); break;
    case 22: std::from_chars(word.data(), word.data() + word.size(), entry.start_ticks); return entry;
    default: break;
    }
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return std::nullopt;
}

} // namespace

std::optional<process_entry> find_process(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return std::nullopt;
  std::array<char, 1024> text{};
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  return size <= 0 ? std::nullopt : parse_stat(pid, {text.data(), static_cast<std::size_t>(size)});
}

std::vector<process_entry> list_processes() {
  std::vector<process_entry> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder)
    return all;
  while (const dirent* entry = ::readdir(folder.get())) {
    const auto pid = number(entry->d_name);
    if (!pid)
      continue;
    if (const auto found = find_process(*pid))
      all.push_back(*found);
  }
  return all;
}

std::vector<process_entry> descendants_of(const std::vector<int>& roots, const std::vector<process_entry>& all) {
  std::unordered_multimap<int, const process_entry*> children;
  for (const process_entry& entry : all)
    children.emplace(entry.parent, &entry);
  std::vector<process_entry> found;
  std::vector<int> to_visit = roots;
  std::unordered_map<int, bool> seen;
  for (const int root : roots)
    seen[root] = true;
  while (!to_visit.empty()) {
    const auto [first, last] = children.equal_range(to_visit.back());
    to_visit.pop_back();
    for (auto child = first; child != last; ++child) {
      if (!seen.emplace(child->second->pid, true).second)
        continue;
      to_visit.push_back(child->second->pid);
      if (child->second->is_live())
        found.push_back(*child->second);
    }
  }
  return found;
}

namespace {

// Each assignment stands between two NULs. Empty when the process is gone or not ours to read.
std::string environment_of(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/environ";
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return {};
  std::string text(1, '\0');
  std::array<char, 16384> piece{};
  for (ssize_t size = 0; (size = ::read(file.get(), piece.data(), piece.size())) > 0;)
    text.append(piece.data(), static_cast<std::size_t>(size));
  return text + '\0';
}

} // namespace

bool has_environment(int pid, std::string_view assignment) {
  std::string wanted(1, '\0');
  wanted.append(assignment).push_back('\0');
  return environment_of(pid).find(wanted) != std::string::npos;
}

std::optional<std::string> environment_value(int pid, std::string_view name) {
  std::string wanted(1, '\0');
  wanted.append(name).push_back('=');
  const std::string all = environment_of(pid);
  const auto found = all.find(wanted);
  if (found == std::string::npos)
    return std::nullopt;
  const auto begin = found + wanted.size();
  return all.substr(begin, all.find('\0', begin) - begin);
}

bool send_signal(const process_entry& to, int signal) {
  const descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, to.pid, 0)));
  if (!process)
    return false;
  // Only after the descriptor is open can the pid not change hands between this look and the signal.
  const auto now = find_process(to.pid);
  if (!now || now->start_ticks != to.start_ticks)
    return false;
  return ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0;
}

std::uint64_t ticks_since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  static const auto ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return static_cast<std::uint64_t>(now.tv_sec) * ticks_per_second +
         static_cast<std::uint64_t>(now.tv_nsec) * ticks_per_second / 1'000'000'000U;
}

const std::string& boot_id() {
  static const std::string id = [] {
    const descriptor file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    std::array<char, 64> text{};
    const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : 0;
    std::string read(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    while (!read.empty() && read.back() == '\n')
      read.pop_back();
    return read;
  }();
  return id;
}

} // namespace ferry::runners
