#include "upscale_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ; // NOLINT

namespace ferry::upscale::test {
namespace {

constexpr int patience_ms = 60'000;

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> all;
  for (const std::string& word : words)
    all.push_back(const_cast<char*>(word.c_str()));
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& more) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!more.contains(text.substr(0, text.find('='))) && !text.starts_with("FERRY_EVENTS="))
      all.push_back(text);
  }
  for (const auto& [name, value] : more)
    all.push_back(name + "=" + value);
  return all;
}

struct ends {
  int in, out, err; // -1: none
};

pid_t spawn(const std::vector<std::string>& argv, const std::vector<std::string>& environment, const ends& of) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (of.in >= 0)
    posix_spawn_file_actions_adddup2(&actions, of.in, 0);
  else
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, of.out, 1);
  if (of.err >= 0)
    posix_spawn_file_actions_adddup2(&actions, of.err, 2);
  pid_t pid = -1;
  const int refused =
      posix_spawnp(&pid, argv.front().c_str(), &actions, nullptr, pointers(argv).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  return refused == 0 ? pid : -1;
}

int status_of(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

finished_run run(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment) {
  const scratch_folder folder;
  const auto open = [&](const char* name) { return ::open((folder.path() / name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); };
  const int out = open("out"), err = open("err");
  const pid_t pid = spawn(argv, environment_with(environment), {-1, out, err});
  finished_run done;
  done.status = pid < 0 ? 127 : status_of(pid);
  ::close(out);
  ::close(err);
  done.out = bytes_of(folder.path() / "out");
  done.err = bytes_of(folder.path() / "err");
  return done;
}

} // namespace

finished_run run_upscale(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment) {
  std::vector<std::string> argv{UPSCALE_PROGRAM};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv, environment);
}

finished_run run_upscale_as_nobody(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{UPSCALE_PROGRAM};
  if (::geteuid() == 0)
    argv = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", UPSCALE_PROGRAM};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv, {});
}

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(json::parse(line));
  return lines;
}

std::vector<json> of_type(const std::vector<json>& lines, const std::string& type, int job) {
  std::vector<json> found;
  for (const json& line : lines)
    if (line["type"] == type && (job == 0 || line.value("job", 0) == job))
      found.push_back(line);
  return found;
}

worker::worker() {
  std::array<int, 2> to{}, from{};
  if (::pipe2(to.data(), O_CLOEXEC) != 0 || ::pipe2(from.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("no pipes");
  pid_ = spawn({UPSCALE_PROGRAM, "--worker", "--device", "cpu"}, environment_with({}), {to[0], from[1], -1});
  ::close(to[0]);
  ::close(from[1]);
  in_ = to[1];
  out_ = from[0];
  std::signal(SIGPIPE, SIG_IGN);
  if (pid_ < 0)
    throw std::runtime_error("the worker cannot be started");
}

worker::~worker() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    (void)status_of(pid_);
  }
  end_input();
  ::close(out_);
}

void worker::say(const std::string& line) {
  const std::string whole = line + "\n";
  for (std::size_t done = 0; done < whole.size();) {
    const ssize_t count = ::write(in_, whole.data() + done, whole.size() - done);
    if (count < 0 && errno != EINTR)
      throw std::runtime_error("the worker does not listen");
    done += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  }
}

void worker::end_input() {
  if (in_ >= 0)
    ::close(std::exchange(in_, -1));
}

bool worker::hear() {
  std::array<char, 65536> piece{};
  pollfd source{out_, POLLIN, 0};
  if (::poll(&source, 1, patience_ms) <= 0)
    throw std::runtime_error("the worker has said nothing for a minute");
  const ssize_t count = ::read(out_, piece.data(), piece.size());
  if (count <= 0)
    return false;
  rest_.append(piece.data(), static_cast<std::size_t>(count));
  for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
    heard_.push_back(json::parse(rest_.substr(0, end))); // a line that is no JSON fails the test
    rest_.erase(0, end + 1);
  }
  return true;
}

json worker::wait_for(const std::function<bool(const json&)>& wanted) {
  for (;;) {
    while (looked_at_ < heard_.size())
      if (const json& line = heard_[looked_at_++]; wanted(line))
        return line;
    if (!hear())
      throw std::runtime_error("the worker ended before it said what was waited for");
  }
}

json worker::wait_for_type(const std::string& type, int job) {
  return wait_for([&](const json& line) { return line["type"] == type && (job == 0 || line.value("job", 0) == job); });
}

void worker::signal(int number) const { ::kill(pid_, number); }

int worker::wait() {
  while (hear()) {}
  return status_of(std::exchange(pid_, -1));
}

json lanczos_job(int id, const std::filesystem::path& source, const std::filesystem::path& dir, json more) {
  more["source"] = source.string();
  more["control_weight"] = 0;
  return {{"id", id}, {"params", std::move(more)}, {"dir", dir.string()}};
}

} // namespace ferry::upscale::test
