#include "bench/daemon_under_test.hpp"

#include "bench/statistics.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <unistd.h>

namespace ferry::bench {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

std::string file_text(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

} // namespace

std::string command_job(const std::vector<std::string>& argv) {
  return json{{"type", "command"}, {"params", {{"argv", argv}}}}.dump();
}

std::string no_op_jobs(int count) {
  const std::string one = command_job({"true"});
  std::string body = "{\"jobs\":[";
  for (int i = 0; i < count; ++i)
    body += (i == 0 ? "" : ",") + one;
  return body + "]}";
}

daemon_under_test::daemon_under_test(const daemon_options& options) : options_(options) {
  std::filesystem::remove_all(options_.folder);
  std::filesystem::create_directories(options_.folder);
  std::ofstream config(options_.folder / "ferry.toml");
  config << "[storage]\ndata_dir = \"data\"\n[http]\nsocket = \"ferry.sock\"\ntcp.listen = \"\"\n[devices.gpu]\nenabled = "
            "false\n[devices.cpu]\nslots = "
         << options_.slots << "\n[runs]\nshims_ready = " << options_.shims_ready << "\n[log]\nlevel = \"warn\"\n";
}

daemon_under_test::~daemon_under_test() {
  process_.reset();
  // Put aside, not deleted: for some seconds after a deletion ext4 makes files several times more slowly, which the next figure
  // would show.
  static int put_aside = 0;
  std::error_code ignored;
  std::filesystem::rename(options_.folder, options_.folder.string() + "-" + std::to_string(++put_aside), ignored);
}

double daemon_under_test::start() {
  const auto began = clock::now();
  process_ = std::make_unique<service>(program{.argv = {options_.programs / "ferryd", "--config", options_.folder / "ferry.toml"},
                                               .output = options_.folder / "ferryd.log"});
  const std::string question = http_connection::request("GET", "/api/v1/status");
  for (;;) {
    if (const int descriptor = connect_to(socket()); descriptor >= 0) {
      ::close(descriptor);
      try {
        connect()->send(question);
        return seconds_since(began) * 1000;
      } catch (const std::exception&) { // listening, but not ready
      }
    }
    if (process_->has_ended() || seconds_since(began) > 120)
      throw std::runtime_error("ferryd does not serve:\n" + file_text(options_.folder / "ferryd.log"));
    std::this_thread::sleep_for(200us);
  }
}

json daemon_under_test::status() const { return json::parse(connect()->get("/api/v1/status")); }

void daemon_under_test::fill_to(std::int64_t queued) const {
  constexpr std::int64_t most = 1000;
  const auto connection = connect();
  const std::string thousand = http_connection::request("POST", "/api/v1/jobs", no_op_jobs(most));
  for (std::int64_t have = status()["counts"]["queued"]; have < queued;) {
    const std::int64_t count = std::min(most, queued - have);
    if (count == most)
      connection->send(thousand);
    else
      connection->post("/api/v1/jobs", no_op_jobs(static_cast<int>(count)));
    have += count;
  }
}

void daemon_under_test::wait_until_idle() const {
  const auto connection = connect();
  const std::string question = http_connection::request("GET", "/api/v1/status");
  for (;;) {
    const json counts = json::parse(connection->send(question))["counts"];
    if (counts["queued"] == 0 && counts["running"] == 0)
      return;
    std::this_thread::sleep_for(2ms);
  }
}

program daemon_under_test::ferry(std::vector<std::string> words) const {
  words.insert(words.begin(), options_.programs / "ferry");
  return {.argv = std::move(words),
          .environment = {{"FERRY_SOCKET", socket()}, {"DISABLE_QUEUE", "false"}, {"FERRY_FORMAT", "table"}}};
}

daemon_under_test::memory daemon_under_test::read_memory() const {
  memory found;
  std::istringstream lines(file_text("/proc/" + std::to_string(process_->pid()) + "/smaps_rollup"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Rss:"))
      found.rss_mib = std::stod(line.substr(4)) / 1024;
    else if (line.starts_with("Pss:"))
      found.pss_mib = std::stod(line.substr(4)) / 1024;
  }
  return found;
}

} // namespace ferry::bench
