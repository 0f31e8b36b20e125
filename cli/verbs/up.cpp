#include "cli/daemon_start.hpp"
#include "cli/json_text.hpp"
#include "cli/page_link.hpp"
#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"
#include "config/settings.hpp"

#include <cstdlib>
#include <unistd.h>

namespace ferry::cli {
namespace {

namespace fs = std::filesystem;

bool has_display() {
  for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY"})
    if (const char* value = std::getenv(name); value && *value)
      return true;
  return false;
}

class up final : public action {
public:
  void declare(arguments& a) override {
    a.text("-c,--config", config_, "FILE",
           "the configuration; default $FERRY_CONFIG, ~/.config/ferry/ferry.toml, /etc/ferry/ferry.toml", value_kind::file);
    a.flag("--no-open", no_open_, "do not open the page in the browser");
    a.flag("-p,--print", print_, "print the link to the page alone, and open nothing");
  }

  result<int> run(context& c) override {
    bool started = false;
    if (auto there = config_ ? result<bool>(false) : runs(c); !there) {
      return fail(there.error());
    } else if (!*there) {
      auto done = start(c);
      if (!done)
        return fail(done.error());
      started = *done;
    }
    const auto status = c.ask({.method = "GET", .path = "/status"});
    if (!status)
      return fail(status.error());
    tell(c, *status, started);
    return exit_completed;
  }

private:
  static result<bool> runs(context& c) {
    const auto process = c.daemon().process();
    return process ? result<bool>(process->has_value()) : fail(process.error());
  }

  // Whether it had to be started.
  result<bool> start(context& c) {
    std::error_code failed;
    daemon_start what;
    what.config_file = config_ ? fs::path(*config_) : config::find_config_file();
    if (!what.config_file.empty())
      what.config_file = fs::absolute(what.config_file, failed).lexically_normal();
    auto settings = what.config_file.empty() ? result<config::settings>(config::defaults()) : config::load(what.config_file);
    if (!settings)
      return fail(settings.error());
    what.settings = std::move(*settings);
    const fs::path& serves = what.settings.http.socket;
    const fs::path asked = c.socket  ? fs::absolute(*c.socket, failed).lexically_normal()
                           : config_ ? serves
                                     : config::default_socket();
    if (asked != serves)
      return fail(error_code::invalid_argument,
                  "the daemon would listen at " + serves.string() + ", but " + (c.socket ? "--socket" : "FERRY_SOCKET") + " says " +
                      asked.string(),
                  what.config_file.empty() ? "set http.socket in ~/.config/ferry/ferry.toml"
                                           : "that is http.socket of " + what.config_file.string());
    c.socket = serves.string();
    other_socket_ = config::default_socket() == serves ? "" : serves.string();
    log_ = (what.settings.log.file.empty() ? output_file(what.settings) : what.settings.log.file).string();
    if (auto there = runs(c); !there || *there)
      return there ? result<bool>(false) : there;
    return start_daemon(what, [&] {
      const auto process = client(serves).process();
      return process && *process;
    });
  }

  void tell(context& c, const json& status, bool started) const {
    const auto page = page_link(status);
    if (c.wants_json()) {
      c.print_json(to_text({{"started", started},
                            {"pid", integer_field(status, "pid").value_or(0)},
                            {"link", page ? json(page->link) : json()},
                            {"log", started ? json(log_) : json()}}));
      return;
    }
    if (!print_) {
      c.print("ferryd " + printable(text_field(status, "version")) + (started ? " has started" : " runs already") + " (pid " +
              std::to_string(integer_field(status, "pid").value_or(0)) + ")" +
              (started ? "; its log is " + printable(log_) : std::string()) + "\n");
      if (!other_socket_.empty())
        c.print("for other commands: export FERRY_SOCKET=" + printable(other_socket_) + "\n");
    }
    if (!page) {
      c.note("no link to the page: " + printable(to_string(page.error())) + "\n");
      return;
    }
    c.print(page->link + "\n");
    if (!print_ && !no_open_ && is_terminal(STDOUT_FILENO) && has_display() && !open_in_browser(page->link))
      c.note("no browser could be opened; open that link\n");
  }

  std::optional<std::string> config_;
  bool no_open_ = false, print_ = false;
  std::string log_, other_socket_;
};

} // namespace

std::unique_ptr<action> make_up() { return std::make_unique<up>(); }

} // namespace ferry::cli
