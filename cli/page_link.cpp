#include "cli/page_link.hpp"

#include "cli/json_text.hpp"
#include "cli/text.hpp"

#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ; // NOLINT: POSIX names it so

namespace ferry::cli {

result<page_address> page_link(const json& status) {
  const json& http = object_field(status, "http");
  const auto url = text_field(http, "url"), token_file = text_field(http, "token_file");
  if (url.empty())
    return fail(error_code::unavailable, "the daemon does not listen on TCP, so there is no page",
                "`ferry status` says why, or set http.tcp.listen = \"127.0.0.1:7878\"");
  std::string token;
  if (std::ifstream file(token_file); !(file >> token))
    return fail(error_code::unauthorized, "the token in " + printable(token_file) + " cannot be read",
                "`ferry ui` is for the user that the daemon runs as; ask them for a link");
  return page_address{url, url + "/?token=" + token};
}

bool open_in_browser(const std::string& link) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int stream : {0, 1, 2})
    posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0);
  std::string program = "xdg-open", argument = link;
  char* words[] = {program.data(), argument.data(), nullptr};
  pid_t pid = 0;
  const bool spawned = ::posix_spawnp(&pid, words[0], &actions, nullptr, words, environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  return spawned && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace ferry::cli
