#include "tests/integration/daemon_process.hpp"

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ; // NOLINT: POSIX names it so

namespace ferry::tests {
namespace {

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

} // namespace

int spawn(const std::vector<std::string>& argv, const std::filesystem::path& output, const std::vector<std::string>& environment) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  std::vector<char*> words, variables;
  for (const auto& word : argv)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  for (char** variable = environ; *variable; ++variable)
    variables.push_back(*variable);
  for (const auto& variable : environment)
    variables.push_back(const_cast<char*>(variable.c_str()));
  variables.push_back(nullptr);
  int pid = 0;
  REQUIRE(posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), variables.data()) == 0);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

int wait_for(int pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<int> processes_of(const std::filesystem::path& data) {
  std::vector<int> all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && read_file(entry.path() / "environ").find(data.string()) != std::string::npos && pid != ::getpid())
      all.push_back(pid);
  }
  return all;
}

void end_jobs(const std::filesystem::path& data) {
  for (const int pid : processes_of(data))
    ::kill(pid, SIGKILL);
}

scratch_directory::scratch_directory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "ferry-test-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

program_end run_program(const std::vector<std::string>& argv, const std::vector<std::string>& environment) {
  const scratch_directory scratch;
  const auto output = scratch.path() / "output";
  const int status = wait_for(spawn(argv, output, environment));
  return {status, read_file(output)};
}

daemon_process::daemon_process(std::string types, int slots, std::string http, std::string storage, const std::string& nvml) {
  std::ofstream(config()) << "[storage]\ndata_dir = \"" << data().string() << "\"\n"
                          << storage << "[http]\nsocket = \"" << socket().string() << "\"\n"
                          << (http.find("listen") == std::string::npos ? "tcp.listen = \"\"\n" : "") << http << "\n[devices.gpu]\n"
                          << (nvml.empty() ? "enabled = false" : "nvml_library = \"" + nvml + "\"")
                          << "\n[devices.cpu]\nslots = " << slots << "\nmemory_mib = 1000\n"
                          << types;
}

daemon_process::~daemon_process() {
  if (pid_ > 0)
    kill();
  end_jobs(data());
}

std::unique_ptr<cli::client> daemon_process::connect() const { return std::make_unique<cli::client>(socket()); }

void daemon_process::start() {
  REQUIRE(pid_ == 0);
  auto words = under_;
  words.insert(words.end(), {FERRYD_PROGRAM, "--config", config().string()});
  pid_ = spawn(words, directory() / "ferryd.log", {});
  client_ = connect();
  eventually([&] {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = 0;
      FAIL("ferryd ended: " << read_file(directory() / "ferryd.log"));
    }
    return client_->send({"GET", "/status"}).has_value();
  });
}

void daemon_process::kill() {
  ::kill(pid_, SIGKILL);
  wait_for(pid_);
  pid_ = 0;
}

int daemon_process::stop() {
  ::kill(pid_, SIGTERM);
  const int status = wait_for(pid_);
  pid_ = 0;
  return status;
}

program_end daemon_process::start_refused() const { return run_program({FERRYD_PROGRAM, "--config", config().string()}); }

json daemon_process::send(const std::string& method, const std::string& path, const std::string& body) {
  const auto answer = client_->send({method, path, body, {}, std::chrono::seconds(60)});
  INFO(method << " " << path << " " << body);
  if (!answer)
    FAIL(to_string(answer.error()));
  return json::parse(answer->body);
}

json daemon_process::get(const std::string& path) { return send("GET", path, {}); }
json daemon_process::post(const std::string& path, const json& body) { return send("POST", path, body.dump()); }
json daemon_process::patch(const std::string& path, const json& body) { return send("PATCH", path, body.dump()); }

error daemon_process::refused(const std::string& method, const std::string& path, const std::string& body) {
  const auto answer = client_->send({method, path, body});
  INFO(method << " " << path << " " << body);
  REQUIRE_FALSE(answer.has_value());
  return answer.error();
}

std::int64_t daemon_process::submit_script(const std::string& script, const json& fields) {
  json body = {{"type", "command"}, {"params", {{"argv", {"sh", "-c", script}}}}};
  body.update(fields);
  return post("/jobs", body).at("id");
}

json daemon_process::finished(std::int64_t id) {
  json job;
  eventually([&] {
    job = get("/jobs/" + std::to_string(id) + "?wait=30");
    return job["status"] != "queued" && job["status"] != "running";
  });
  return job;
}

int pid_in(const json& job) {
  int pid = 0;
  for (const json& entry : job["history"])
    if (entry["what"] == "run_started")
      pid = entry["detail"]["pid"];
  return pid;
}

std::string daemon_process::wait_for_file(const std::filesystem::path& file) {
  eventually([&] { return std::filesystem::exists(file); });
  return read_file(file);
}

} // namespace ferry::tests
