#include "tests/rules/rules.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace ferry::rules {
namespace {

using names = std::set<std::string_view, std::less<>>;

// Whom each layer may include, beside itself.
const std::map<std::string_view, names>& layers() {
  static const std::map<std::string_view, names> allowed{
      {"model", {}},
      {"config", {"model"}},
      {"scheduling", {"model", "config"}},
      {"storage", {"model", "config", "scheduling"}},
      {"gpu", {"model", "config", "scheduling"}},
      {"gpu/upscale", {"model", "config"}}, // a program of its own
      {"runners", {"model", "config", "scheduling"}},
      {"remote", {"model", "config", "scheduling"}},
      {"actors", {"model", "config", "scheduling", "storage", "gpu", "runners", "remote"}},
      {"http", {"model", "config", "scheduling", "storage", "gpu", "runners", "remote", "actors"}},
      {"cli", {"model", "config", "scheduling", "runners", "remote"}}, // it starts quickly because it links neither CAF nor SQLite
      {"daemon", {"model", "config", "scheduling", "storage", "gpu", "runners", "remote", "actors", "http"}},
      {"clients", {"model", "config", "remote"}},
  };
  return allowed;
}

// What a layer may not know of the world, by how the included name begins.
const std::map<std::string_view, std::vector<std::string_view>>& foreign() {
  static const std::map<std::string_view, std::vector<std::string_view>> forbidden{
      {"model", {"caf/", "SQLiteCpp/", "sqlite3", "cuda", "nvml", "spdlog/", "boost/", "toml++/", "fstream", "iostream"}},
      {"scheduling", {"caf/", "SQLiteCpp/", "sqlite3", "cuda", "nvml", "spdlog/", "toml++/", "fstream", "iostream", "unistd.h"}},
      {"storage", {"caf/", "boost/asio", "boost/beast"}},
      {"gpu", {"caf/", "SQLiteCpp/", "sqlite3", "cuda"}}, // the daemon holds no CUDA context
      {"gpu/upscale", {"caf/", "SQLiteCpp/", "sqlite3", "spdlog/", "nvml"}},
      {"runners", {"caf/", "SQLiteCpp/", "sqlite3", "cuda", "nvml"}},
      {"remote", {"SQLiteCpp/", "sqlite3", "cuda", "nvml"}},
      {"cli", {"caf/", "SQLiteCpp/", "sqlite3", "spdlog/"}},
  };
  return forbidden;
}

std::string fault(std::string_view path, std::size_t line, const std::string& what) {
  return std::string(path) + ":" + std::to_string(line) + ": " + what;
}

// The layer that a path lies in, or its first folder.
std::string_view layer_of(std::string_view path) {
  constexpr std::string_view upscaler = "gpu/upscale";
  if (path.starts_with(upscaler) && path.substr(upscaler.size()).starts_with('/'))
    return upscaler;
  return path.substr(0, std::min(path.find('/'), path.size()));
}

template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    visit(number, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

struct inclusion {
  std::string_view name;
  bool quoted = false;
};

// The file that a line includes; an empty name where it includes none.
inclusion included_by(std::string_view line) {
  const auto skip_blanks = [&] { line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size())); };
  skip_blanks();
  if (!line.starts_with("#"))
    return {};
  line.remove_prefix(1);
  skip_blanks();
  if (!line.starts_with("include"))
    return {};
  line.remove_prefix(std::string_view("include").size());
  skip_blanks();
  if (line.empty() || (line.front() != '"' && line.front() != '<'))
    return {};
  const bool quoted = line.front() == '"';
  line.remove_prefix(1);
  return {line.substr(0, std::min(line.find(quoted ? '"' : '>'), line.size())), quoted};
}

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

} // namespace

std::vector<std::string> check_includes(std::string_view path, std::string_view text) {
  std::vector<std::string> faults;
  const std::string_view layer = layer_of(path);
  const auto rule = layers().find(layer);
  for_each_line(text, [&](std::size_t number, std::string_view line) {
    if (layer == "scheduling" && line.find("_clock::now(") != line.npos)
      faults.push_back(fault(path, number, "scheduling reads no clock: time is an argument"));
    const auto [name, quoted] = included_by(line);
    if (name.empty())
      return;
    const std::string_view target = layer_of(name);
    const bool ours = layers().contains(target) || target == "tests" || target == "bench";
    const bool beside = layer == "tests" && name.find('/') == name.npos; // a helper of the same test program
    if (quoted && !ours && !beside)
      faults.push_back(
          fault(path, number, "includes \"" + std::string(name) + "\": our own files are included from the root, others with <>"));
    if (rule == layers().end())
      return;
    if (ours && target != layer && !rule->second.contains(target))
      faults.push_back(fault(path, number, std::string(layer) + " may not include " + std::string(name)));
    if (const auto barred = foreign().find(layer); !quoted && barred != foreign().end())
      for (const std::string_view beginning : barred->second)
        if (name.starts_with(beginning))
          faults.push_back(fault(path, number, std::string(layer) + " may not include <" + std::string(name) + ">"));
  });
  return faults;
}

std::vector<std::string> check_length(std::string_view path, std::string_view text) {
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  if (lines < source_lines_max)
    return {};
  return {fault(path, lines, "has " + std::to_string(lines) + " lines; a file has fewer than " + std::to_string(source_lines_max))};
}

std::vector<std::string> check_absolute_paths(std::string_view path, std::string_view text) {
  std::vector<std::string> faults;
  for_each_line(text, [&](std::size_t number, std::string_view line) {
    for (const std::string_view folder : {"work", "root"}) {
      const std::string wanted = "/" + std::string(folder);
      for (std::size_t at = line.find(wanted); at != line.npos; at = line.find(wanted, at + 1)) {
        const char before = at == 0 ? ' ' : line[at - 1];
        const std::size_t end = at + wanted.size();
        const char after = end < line.size() ? line[end] : ' ';
        // Not where it is a part of a longer path or word.
        const bool begins = !is_word(before) && before != '/' && before != '.' && before != '}' && before != ')' && before != '*';
        if (begins && !is_word(after) && after != '-')
          faults.push_back(fault(path, number, "names " + wanted + ", a folder of one machine"));
      }
    }
  });
  return faults;
}

} // namespace ferry::rules
