// ferryd: load, validate, wire, wait.
#include "actors/gateway.hpp"
#include "actors/node_member.hpp"
#include "actors/supervisor.hpp"
#include "config/settings.hpp"
#include "daemon/service_manager.hpp"
#include "gpu/inventory.hpp"
#include "http/server.hpp"
#include "http/tls.hpp"
#include "model/version.hpp"
#include "remote/tls_files.hpp"
#include "runners/foreign_memory.hpp"

#include <CLI/CLI.hpp>
#include <caf/actor_system.hpp>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <mutex>
#include <pthread.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace ferry;

constexpr int exit_bad_configuration = 2;
constexpr int exit_cannot_start = 1;
constexpr std::chrono::milliseconds node_stop_patience{1'500}; // the head is told within one second, if it can be told

// Signals are taken by sigwait in main alone; blocked before any thread exists, so that all threads inherit it.
sigset_t block_signals() {
  sigset_t taken;
  sigemptyset(&taken);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1})
    sigaddset(&taken, signal);
  pthread_sigmask(SIG_BLOCK, &taken, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return taken;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void set_up_log(const config::settings& settings) {
  auto logger =
      settings.log.file.empty() ? spdlog::stderr_color_mt("ferryd") : spdlog::basic_logger_mt("ferryd", settings.log.file.string());
  logger->set_level(spdlog::level::from_str(settings.log.level));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

// The shim is installed beside the daemon.
std::filesystem::path shim_program() {
  std::error_code failed;
  return std::filesystem::read_symlink("/proc/self/exe", failed).parent_path() / "ferry-shim";
}

int refuse(const error& e, int status) {
  std::fprintf(stderr, "ferryd: %s\n", to_string(e).c_str());
  return status;
}

// Of a daemon that speaks to other machines; nothing otherwise.
result<std::optional<remote::tls_files>> identity_of(const config::node_settings& node, caf::actor_system_config& caf_settings) {
  if (!node.is_on() && !node.is_member())
    return std::nullopt;
  auto loaded = remote::tls_files::load({node.certificate, node.key, node.ca}, wall_clock_now());
  if (!loaded)
    return fail(loaded.error());
  for (const auto& warning : loaded->warnings())
    spdlog::warn("{}", warning);
  loaded->set_up(caf_settings);
  return std::optional(std::move(*loaded));
}

result<std::unique_ptr<actors::gateway>> open_gateway(caf::actor_system& system, const config::node_settings& node,
                                                      actors::gateway_parts parts) {
  if (!node.is_on())
    return nullptr;
  auto opened = actors::gateway::open(system, std::move(parts), node.address(), node.port());
  if (opened)
    spdlog::info("programs on other machines reach it at {}:{}", node.address(), (*opened)->port());
  return opened;
}

// Until a signal says that it is enough; which one.
int wait_for_end(const sigset_t& taken) {
  int signal = 0;
  do
    sigwait(&taken, &signal);
  while (signal == SIGHUP);
  return signal;
}

// Ends the process where its end takes longer than `patience`. A node's may: a connection that is being made cannot be taken back,
// and the kernel may try for minutes. All that a node knows is on its disk, so it need not wait for that.
class last_resort {
public:
  last_resort() = default;
  last_resort(const last_resort&) = delete;
  last_resort& operator=(const last_resort&) = delete;
  ~last_resort() {
    {
      const std::lock_guard lock(mutex_);
      has_ended_ = true;
    }
    changed_.notify_all();
    if (waiting_.joinable())
      waiting_.join();
  }
  void end_within(std::chrono::milliseconds patience) {
    waiting_ = std::thread([this, patience] {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, patience, [this] { return has_ended_; }))
        return;
      spdlog::info("stopped, while a connection was being made");
      std::_Exit(0);
    });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_ended_ = false;
  std::thread waiting_;
};

// As a node: what runs here is a head's, elsewhere.
int lend(std::shared_ptr<const config::settings> settings, caf::actor_system& system, actors::node_member_parts parts,
         const sigset_t& taken, const service_manager& manager, last_resort& ending) {
  auto member = actors::node_member::start(system, std::move(parts));
  if (!member)
    return refuse(member.error(), exit_cannot_start);
  spdlog::info("ferryd {} lends this machine's devices to the head at {}, as node {}", version, settings->node.join,
               settings->node.name);
  manager.tell("READY=1");
  wait_for_end(taken);
  manager.tell("STOPPING=1");
  spdlog::info("stopping: running jobs go on and are taken up again at the next start");
  ending.end_within(node_stop_patience);
  member->reset();
  spdlog::info("stopped");
  return 0;
}

int serve(std::shared_ptr<const config::settings> settings, const sigset_t& taken, const service_manager& manager) {
  const auto started = wall_clock_now();
  const auto inventory = std::make_shared<const gpu::inventory>(gpu::inventory::discover(*settings));
  for (const auto& note : inventory->notes())
    spdlog::info("{}", note);
  for (const auto& device : inventory->devices())
    spdlog::info("device {} ({}): {} slots, {} MiB", device.id, device.name, device.slots, device.memory_mib);

  actors::register_messages();
  caf::actor_system_config caf_settings;
  auto identity = identity_of(settings->node, caf_settings);
  if (!identity)
    return refuse(identity.error(), exit_cannot_start);
  caf_settings.set("caf.scheduler.policy", "sharing"); // wakes a sleeping worker at once, where stealing polls
  caf_settings.set("caf.scheduler.max-threads", 2);
  last_resort ending; // outlives the actors, which are what may take long
  caf::actor_system system(caf_settings);

  const auto main_process = ::getpid();
  const auto read_devices = [inventory, data_dir = settings->storage.data_dir] {
    auto readings = inventory->read();
    runners::tell_foreign_memory(readings, data_dir);
    return readings;
  };
  if (settings->node.is_member())
    return lend(settings, system, {settings, inventory->devices(), shim_program(), read_devices}, taken, manager, ending);
  auto supervisor = actors::supervisor::start(system, {settings, inventory->devices(), shim_program(), read_devices},
                                              [main_process] { ::kill(main_process, SIGUSR1); });
  if (!supervisor)
    return refuse(supervisor.error(), exit_cannot_start);
  int status = 0;
  {
    auto others = open_gateway(system, settings->node, {[&] { return (*supervisor)->handles(); }, (*supervisor)->events()});
    if (!others)
      return refuse(others.error(), exit_cannot_start);
    auto server = http::server::start(
        {system, settings, inventory, [&] { return (*supervisor)->handles(); }, started, (*supervisor)->events()});
    if (!server)
      return refuse(server.error(), exit_cannot_start);
    spdlog::info("ferryd {} serves {}{}", version, settings->http.socket.string(),
                 (*server)->tcp_port() ? " and TCP port " + std::to_string((*server)->tcp_port()) : "");
    manager.tell("READY=1");
    const int signal = wait_for_end(taken);
    manager.tell("STOPPING=1");
    status = signal == SIGUSR1 ? exit_cannot_start : 0;
    spdlog::info("stopping: running jobs go on and are taken up again at the next start");
  }
  supervisor->reset();
  spdlog::info("stopped");
  return status;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("ferryd, the daemon of the ferry GPU job queue");
  std::string file;
  bool check_only = false;
  app.add_option("-c,--config", file,
                 "The configuration (TOML); default: $FERRY_CONFIG, ~/.config/ferry/ferry.toml, /etc/ferry/ferry.toml");
  app.add_flag("--check-config", check_only, "Check the configuration, say every problem, and end");
  app.set_version_flag("--version", std::string("ferryd ") + version);
  CLI11_PARSE(app, argc, argv);

  if (file.empty())
    file = config::find_config_file().string();
  auto settings = file.empty() ? result<config::settings>(config::defaults()) : config::load(file);
  if (!settings)
    return refuse(settings.error(), exit_bad_configuration);
  const auto identity = http::load_identity(*settings, wall_clock_now());
  if (!identity)
    return refuse(identity.error(), exit_bad_configuration);
  const auto& node = settings->node;
  const auto known_by = node.is_on() || node.is_member()
                            ? remote::check_identity({node.certificate, node.key, node.ca}, wall_clock_now())
                            : result<remote::checked_identity>(remote::checked_identity{});
  if (!known_by)
    return refuse(known_by.error(), exit_bad_configuration);
  if (check_only) {
    for (const auto& warning : known_by->warnings)
      std::printf("warning: %s\n", warning.c_str());
    for (const auto& warning : identity->warnings)
      std::printf("warning: %s\n", warning.c_str());
    std::printf("%s: good, %zu job types\n", file.empty() ? "the defaults" : file.c_str(), settings->job_types.size());
    return 0;
  }
  mallopt(M_ARENA_MAX, 2); // a few threads that rarely allocate at once: more arenas would only hold memory back
  const service_manager manager;
  const sigset_t taken = block_signals();
  raise_descriptor_limit();
  try {
    set_up_log(*settings);
    return serve(std::make_shared<const config::settings>(std::move(*settings)), taken, manager);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "ferryd: %s\n", e.what());
    return exit_cannot_start;
  }
}
