// A daemon that answers what a test tells it to: HTTP on a Unix socket, in a thread of its own. What `ferry` asked is kept.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ferry::cli::test {

struct asked {
  std::string method, target, body, idempotency_key, upload_offset;
  int pid = 0; // of who asks
};

struct reply {
  int status = 200;
  std::string body = "{}";
  std::map<std::string, std::string> headers = {};
  bool hang_up = false; // closes the connection instead of answering
};

class scripted_daemon {
public:
  using script = std::function<reply(const asked& what)>;

  explicit scripted_daemon(script answer);
  ~scripted_daemon();
  scripted_daemon(const scripted_daemon&) = delete;
  scripted_daemon& operator=(const scripted_daemon&) = delete;

  [[nodiscard]] const std::filesystem::path& socket() const { return socket_; }
  // A folder of the test's own, which holds the socket.
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::vector<asked> requests() const;
  [[nodiscard]] int connections() const;

private:
  void listen();
  void serve();
  void talk(int connection);

  script answer_;
  std::filesystem::path folder_, socket_;
  int listener_ = -1;
  mutable std::mutex mutex_;
  std::vector<asked> requests_;
  int talking_to_ = -1;
  int connections_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace ferry::cli::test
