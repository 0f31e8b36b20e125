#include "bench/crowd.hpp"
#include "bench/figures.hpp"

#include <fstream>
#include <stdexcept>

namespace ferry::bench {
namespace {

using namespace std::chrono_literals;

crowd_result get_by_eight(const std::filesystem::path& socket, const std::string& path, double seconds) {
  return run_crowd(8, seconds, [&] {
    return [connection = std::make_shared<http_connection>(socket), request = http_connection::request("GET", path)] {
      connection->send(request);
    };
  });
}

// nginx that answers every request with so many bytes out of its configuration.
double nginx_rate(const bench_run& run, std::size_t bytes) {
  const auto folder = run.folder / "nginx";
  std::filesystem::create_directories(folder);
  const auto socket = folder / "nginx.sock";
  std::filesystem::remove(socket);
  std::ofstream config(folder / "nginx.conf");
  config << "daemon off;\nworker_processes 2;\npid nginx.pid;\nerror_log error.log;\nevents { worker_connections 64; }\nhttp {\n"
         << "  access_log off;\n  keepalive_requests 1000000000;\n";
  for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    config << "  " << kind << "_temp_path " << kind << ";\n";
  config << "  server {\n    listen unix:" << socket.string() << ";\n    default_type application/json;\n    return 200 '"
         << std::string(bytes, 'f') << "';\n  }\n}\n";
  config.close();
  service nginx({.argv = {"nginx", "-p", folder.string() + "/", "-c", "nginx.conf", "-e", (folder / "error.log").string()},
                 .environment = {{"PATH", std::string(std::getenv("PATH")) + ":/usr/sbin"}},
                 .output = folder / "output.log"});
  for (int tries = 0; !std::filesystem::exists(socket) && !nginx.has_ended() && tries < 1000; ++tries)
    std::this_thread::sleep_for(5ms);
  if (nginx.has_ended())
    throw std::runtime_error("nginx did not start: see " + (folder / "output.log").string());
  return get_by_eight(socket, "/", run.seconds).rate;
}

} // namespace

void reading(bench_run& run) {
  daemon_under_test daemon(run.daemon());
  daemon.start();
  const std::size_t bytes = daemon.connect()->get("/api/v1/status").size();
  const auto ours = get_by_eight(daemon.socket(), "/api/v1/status", run.seconds);
  const std::string measured = number(ours.rate) + "/s; p50 " + number(ours.each.p50()) + " ms";
  if (!is_installed("nginx")) {
    run.out.figure("`GET` status, 8 connections", measured, "≥ 0.33 × nginx (not installed)");
    return;
  }
  const double nginx = nginx_rate(run, bytes);
  run.out.figure("`GET` status, 8 connections", measured + " = " + number(ours.rate / nginx) + " × nginx",
                 "≥ 0.33 × nginx (" + number(nginx) + "/s, the same " + std::to_string(bytes) + " bytes)",
                 {{ours.rate / nginx, 0.33, better::more}});
}

} // namespace ferry::bench
