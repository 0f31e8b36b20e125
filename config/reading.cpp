// The text of a configuration file and its options, without job types: all that the command line needs to find the daemon.
#include "config/loader.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace ferry::config {
namespace {

std::string system_message(int number) { return std::system_category().message(number); }

class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

private:
  int fd_;
};

class options_walk {
public:
  options_walk(toml_reader& reader, settings& out) : reader_(reader), out_(out) {}

  void table(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      // A quoted key is one name, whatever it holds.
      if (name.str().empty() || name.str().find('.') != std::string_view::npos) {
        unknown(prefix, name);
        continue;
      }
      const std::string plain = prefix.empty() ? std::string(name.str()) : prefix + "." + std::string(name.str());
      if (plain == "job_types")
        continue;
      if (const auto* found = declared(plain)) {
        if (const auto value = reader_.read(*found, plain, node))
          found->set(out_, *value);
      } else if (!children(plain).empty()) {
        if (const toml::table* inner = node.as_table())
          this->table(*inner, plain);
        else
          reader_.report(plain, &node, "must be a table, is " + shown(node), "it has " + joined(children(plain), ", "));
      } else {
        unknown(prefix, name);
      }
    }
  }

private:
  static const option<settings>* declared(const std::string& key) {
    const auto it = std::find_if(options().begin(), options().end(), [&](const auto& o) { return o.key == key; });
    return it == options().end() ? nullptr : &*it;
  }

  // The names that may stand directly below `prefix`.
  static std::vector<std::string> children(const std::string& prefix) {
    std::set<std::string> names;
    const std::string start = prefix.empty() ? "" : prefix + ".";
    for (const auto& o : options())
      if (o.key.starts_with(start))
        names.emplace(o.key.substr(start.size(), o.key.find('.', start.size()) - start.size()));
    if (prefix.empty())
      names.insert("job_types");
    return {names.begin(), names.end()};
  }

  void unknown(const std::string& prefix, const toml::key& name) {
    std::string hint = did_you_mean(name.str(), children(prefix));
    if (hint.empty()) // right name, wrong table
      for (const auto& o : options())
        if (o.key.substr(o.key.rfind('.') + 1) == name.str())
          hint = "did you mean " + std::string(o.key) + "?";
    reader_.report_unknown(dotted(prefix, name.str()), name, children(prefix), hint);
  }

  toml_reader& reader_;
  settings& out_;
};

} // namespace

result<std::string> read_config_text(const std::filesystem::path& file) {
  const auto refuse = [&](int number) {
    return fail(number == ENOENT ? error_code::not_found : error_code::io,
                "the configuration file " + file.string() + " cannot be read: " + system_message(number));
  };
  const descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0)
    return refuse(errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0)
    return refuse(errno);
  if (S_ISDIR(info.st_mode))
    return refuse(EISDIR);
  constexpr std::size_t piece = 64 * 1024; // most files fit into one: the command line reads the file at each call
  std::string text;
  for (std::size_t size = 0; size <= limits::config_file_bytes_max;) { // parse_toml() refuses what is too large
    text.resize(size + piece);
    const ssize_t n = ::read(fd.get(), text.data() + size, piece);
    text.resize(size + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return refuse(errno);
    if (n == 0)
      break;
    size = text.size();
  }
  return text;
}

result<toml::table> parse_toml(std::string_view text, const std::filesystem::path& file) {
  const std::string name = file.string();
  if (text.size() > limits::config_file_bytes_max)
    return fail(error_code::too_large, name + " is too large: at most " + std::to_string(limits::config_file_bytes_max) + " bytes");
  const auto broken = [&](std::string what, int line) {
    return fail(error{error_code::invalid_argument, name + " is not valid TOML", {}, {{"", std::move(what), {}, name, line}}});
  };
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos)
    return broken("holds a NUL byte",
                  1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n')));
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& e) {
    const auto& at = e.source().begin;
    return broken(shortened(e.description(), 300) + " (column " + std::to_string(at.column) + ")", static_cast<int>(at.line));
  }
}

void read_options(toml_reader& reader, const toml::table& root, settings& out) { options_walk(reader, out).table(root, ""); }

} // namespace ferry::config
