// Certificates made by `ferry certs`, for tests in which machines speak to each other.
#pragma once

#include "tests/integration/daemon_process.hpp"

#include <string>
#include <vector>

namespace ferry::tests {

// An authority with a certificate for the daemon ("head") and one for a program or a node ("cutter").
class certificates {
public:
  explicit certificates(const std::string& host = "127.0.0.1") {
    run({"init"});
    run({"issue", "head", "--host", host});
    run({"issue", "cutter"});
  }
  [[nodiscard]] std::string file(const std::string& name) const { return (scratch_.path() / "certs" / name).string(); }
  // The table [node] of a head that listens on this port of loopback; 0: any that is free.
  [[nodiscard]] std::string node_options(int port = 0) const {
    return "[node]\nlisten = \"127.0.0.1:" + std::to_string(port) + "\"\n" + files("head");
  }
  // The keys of that table that name the files of this certificate.
  [[nodiscard]] std::string files(const std::string& name) const {
    return "certificate = \"" + file(name + ".pem") + "\"\nkey = \"" + file(name + ".key") + "\"\nca = \"" + file("ca.pem") +
           "\"\n";
  }
  void remove(const std::string& name) const { std::filesystem::remove(file(name)); }

private:
  void run(std::vector<std::string> words) {
    words.insert(words.begin(), {FERRY_PROGRAM, "certs"});
    words.insert(words.end(), {"--dir", (scratch_.path() / "certs").string()});
    const auto end = run_program(words);
    INFO(end.output);
    REQUIRE(end.status == 0);
  }
  scratch_directory scratch_;
};

} // namespace ferry::tests
