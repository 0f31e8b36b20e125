#include "cli/json_text.hpp"
#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"

#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ; // NOLINT: POSIX names it so

namespace ferry::cli {
namespace {

// False: there is no such program, or it could not open the address.
bool open_in_browser(const std::string& address) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int stream : {0, 1, 2})
    posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0);
  std::string program = "xdg-open", argument = address;
  char* words[] = {program.data(), argument.data(), nullptr};
  pid_t pid = 0;
  const bool spawned = ::posix_spawnp(&pid, words[0], &actions, nullptr, words, environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  return spawned && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class ui final : public action {
public:
  void declare(arguments& a) override { a.flag("-p,--print", print_, "print the link instead of opening it"); }

  result<int> run(context& c) override {
    const auto status = c.ask({.method = "GET", .path = "/status"});
    if (!status)
      return fail(status.error());
    const json& http = object_field(*status, "http");
    const auto address = text_field(http, "address"), token_file = text_field(http, "token_file");
    if (address.empty())
      return fail(error_code::unavailable, "the daemon does not listen on TCP, so there is no page",
                  "`ferry status` says why, or set http.tcp.listen = \"127.0.0.1:7878\"");
    std::string token;
    if (std::ifstream file(token_file); !(file >> token))
      return fail(error_code::unauthorized, "the token in " + printable(token_file) + " cannot be read",
                  "`ferry ui` is for the user that the daemon runs as; ask them for a link");
    const auto link = "http://" + address + "/?token=" + token;
    if (c.wants_json())
      c.print_json(to_text({{"link", link}}));
    else if (print_)
      c.print(link + "\n");
    else if (open_in_browser(link))
      c.print("opened http://" + printable(address) + "/ in the browser\n");
    else
      c.print("no browser could be opened; open this link:\n" + link + "\n");
    return exit_completed;
  }

private:
  bool print_ = false;
};

} // namespace

std::unique_ptr<action> make_ui() { return std::make_unique<ui>(); }

} // namespace ferry::cli
