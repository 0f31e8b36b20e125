#include "bench/crowd.hpp"
#include "bench/figures.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace ferry::bench {
namespace {

using namespace std::chrono_literals;

// task-spooler with a server of its own.
class task_spooler {
public:
  explicit task_spooler(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    std::filesystem::remove(folder_ / "tsp.sock");
    tsp({"-S", "1"}).run();
  }
  ~task_spooler() {
    try {
      tsp({"-K"}).run();
    } catch (const std::exception&) { // gone already
    }
  }

  [[nodiscard]] prepared_program tsp(std::vector<std::string> words) const {
    words.insert(words.begin(), "tsp");
    return prepared_program(
        {.argv = words, .environment = {{"TS_SOCKET", folder_ / "tsp.sock"}, {"TMPDIR", folder_}, {"TS_MAXFINISHED", "10"}}});
  }
  [[nodiscard]] std::filesystem::path folder() const { return folder_; }

private:
  std::filesystem::path folder_;
};

void put_task_spooler(bench_run& run) {
  {
    task_spooler peer(run.folder / "tsp");
    peer.tsp({"-n", "sleep", "1000"}).run(); // holds the only slot: what follows is queued
    const auto submit_for = [&](int clients) {
      return run_crowd(clients, run.seconds / 2, [&] {
        return [one = std::make_shared<prepared_program>(peer.tsp({"-n", "true"}))] { one->run(); };
      });
    };
    const auto alone = submit_for(1), eight = submit_for(8);
    run.out.row({"task-spooler (not durable)", "`tsp true`, one at a time; 8 at once",
                 "p50 " + number(alone.each.p50()) + " ms, p99 " + number(alone.each.p99()) + " ms; " + number(eight.rate) + "/s"});
    peer.tsp({"-k"}).run();
  }
  task_spooler peer(run.folder / "tsp");
  stamp_reader stamps(peer.folder() / "stamps");
  prepared_program submit = peer.tsp({"-n", run.programs / "bench-stamp", stamps.path()});
  samples starts;
  for (int i = 0; i < run.repetitions; ++i) {
    const std::int64_t before = monotonic_ns();
    submit.run();
    starts.add(static_cast<double>(stamps.next() - before) / 1e6);
    peer.tsp({"-w"}).run();
  }
  run.out.row({"task-spooler", "submit to process start, by command line",
               "p50 " + number(starts.p50()) + " ms, p99 " + number(starts.p99()) + " ms"});
}

// One connection to beanstalkd.
class beanstalk_client {
public:
  explicit beanstalk_client(const std::filesystem::path& socket) : descriptor_(connect_to(socket)) {
    if (descriptor_ < 0)
      throw std::runtime_error("beanstalkd does not listen on " + socket.string());
  }
  ~beanstalk_client() { ::close(descriptor_); }
  beanstalk_client(const beanstalk_client&) = delete;
  beanstalk_client& operator=(const beanstalk_client&) = delete;

  void put(const std::string& body) {
    const std::string command = "put 50 0 60 " + std::to_string(body.size()) + "\r\n" + body + "\r\n";
    if (::send(descriptor_, command.data(), command.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(command.size()))
      throw std::runtime_error(std::string("beanstalkd: ") + std::strerror(errno));
    std::string answer;
    char piece[256];
    while (answer.find("\r\n") == std::string::npos) {
      const ssize_t got = ::recv(descriptor_, piece, sizeof piece, 0);
      if (got <= 0)
        throw std::runtime_error("beanstalkd closed the connection");
      answer.append(piece, static_cast<std::size_t>(got));
    }
    if (!answer.starts_with("INSERTED"))
      throw std::runtime_error("beanstalkd refused: " + answer);
  }

private:
  int descriptor_;
};

void put_beanstalkd(bench_run& run) {
  const auto folder = run.folder / "beanstalkd";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const auto socket = folder / "beanstalkd.sock";
  service server(
      {.argv = {"beanstalkd", "-l", "unix:" + socket.string(), "-b", folder.string(), "-f", "0"}, .output = folder / "output.log"});
  for (int tries = 0; !std::filesystem::exists(socket) && !server.has_ended() && tries < 1000; ++tries)
    std::this_thread::sleep_for(5ms);
  const std::string body = command_job({"true"});
  const auto put_for = [&](int clients) {
    return run_crowd(clients, run.seconds,
                     [&] { return [client = std::make_shared<beanstalk_client>(socket), &body] { client->put(body); }; });
  };
  const auto alone = put_for(1), eight = put_for(8);
  run.out.row({"beanstalkd, fsync for each put", "puts/s, 1 client; 8 clients",
               number(alone.rate) + "/s (p50 " + number(alone.each.p50()) + " ms); " + number(eight.rate) + "/s"});
}

} // namespace

void peers(bench_run& run) {
  run.out.columns({"peer", "figure", "measured"});
  if (is_installed("tsp"))
    put_task_spooler(run);
  else
    run.out.row({"task-spooler", "", "not installed"});
  if (is_installed("beanstalkd"))
    put_beanstalkd(run);
  else
    run.out.row({"beanstalkd", "", "not installed"});
}

} // namespace ferry::bench
