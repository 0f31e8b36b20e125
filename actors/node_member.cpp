#include "actors/node_member.hpp"

#include "actors/node_link_actor.hpp"
#include "actors/run_router.hpp"
#include "model/version.hpp"
#include "remote/certificate_files.hpp"
#include "remote/connecting.hpp"
#include "remote/known_nodes.hpp"
#include "runners/run_folders.hpp"
#include "runners/unattended_runs.hpp"
#include "storage/data_directory.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <caf/scoped_actor.hpp>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <random>
#include <spdlog/spdlog.h>
#include <thread>

namespace ferry::actors {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace wire = remote::node;

constexpr std::array backoff{100ms, 200ms, 400ms, 800ms, 1'600ms, 3'000ms};
constexpr duration leave_patience = 1s;
constexpr duration orphan_pause = 500ms; // between looks for what shims left behind; less than the margin of a lease

// What a session leaves behind for the thread that waits for its end.
class session_end {
public:
  void note(const error& why) {
    const std::lock_guard lock(mutex_);
    if (!why_)
      why_ = why;
  }
  void link_is_gone() { set(&session_end::link_gone_); }
  void control_is_gone() { set(&session_end::control_gone_); }
  void was_joined(wire::session_number session) {
    const std::lock_guard lock(mutex_);
    session_ = session;
  }
  void wait_for_control() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return control_gone_; });
  }
  // False: `stop` came first.
  bool wait_for_link(const std::atomic<bool>& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return link_gone_ || stop; });
    return link_gone_;
  }
  void wake() {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }
  // 0: it was not let in.
  [[nodiscard]] wire::session_number session() const {
    const std::lock_guard lock(mutex_);
    return session_;
  }
  [[nodiscard]] std::string why() const {
    const std::lock_guard lock(mutex_);
    return why_ ? to_string(*why_) : "the connection broke";
  }

private:
  void set(bool session_end::*what) {
    const std::lock_guard lock(mutex_);
    this->*what = true;
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool link_gone_ = false, control_gone_ = false;
  wire::session_number session_ = 0;
  std::optional<error> why_;
};

std::string read_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

} // namespace

struct node_member::implementation {
  implementation(caf::actor_system& s, node_member_parts p, storage::data_directory d, runners::lease_file l)
      : system(s),
        parts(std::move(p)),
        owned(std::move(d)),
        root(parts.settings->storage.data_dir / "node"),
        lease(std::make_shared<runners::lease_file>(std::move(l))) {}

  void keep();
  void end_orphans();
  bool pause(std::size_t failures);
  std::shared_ptr<session_end> run_session(const remote::gateway_actor& head);
  [[nodiscard]] wire::join offer(const runners::run_control& control) const;
  [[nodiscard]] std::vector<batch_id> held_runs(const runners::run_control& control) const;
  [[nodiscard]] std::shared_ptr<runners::run_control> make_control(const std::shared_ptr<run_router>& router,
                                                                   const std::shared_ptr<session_end>& ending) const;
  result<void> joined(const std::string& head);
  void leave(const remote::gateway_actor& head, const node_link_actor& link, wire::session_number session);

  caf::actor_system& system;
  node_member_parts parts;
  storage::data_directory owned;
  fs::path root;
  std::string id;
  std::shared_ptr<runners::lease_file> lease;

  mutable std::mutex mutex;
  std::condition_variable wake;
  std::atomic<bool> stopping = false;
  std::shared_ptr<session_end> current; // null: no session
  std::thread keeper, warden;
};

// ---- one session ------------------------------------------------------------------------------------------------------------

// Those that never reached a shim hold nothing, and are removed.
std::vector<batch_id> node_member::implementation::held_runs(const runners::run_control& control) const {
  std::vector<batch_id> held;
  std::error_code failed;
  for (fs::directory_iterator at(root / "runs", failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (!name.empty() && name.size() <= 18 && name.find_first_not_of("0123456789") == std::string::npos)
      held.push_back({std::stoll(name)});
  }
  std::erase_if(held, [&](batch_id one) {
    const bool is_empty = std::holds_alternative<runners::run_never_started>(control.inspect(one));
    if (is_empty)
      runners::remove_run_folder(root / "runs", one);
    return is_empty;
  });
  std::sort(held.begin(), held.end());
  return held;
}

wire::join node_member::implementation::offer(const runners::run_control& control) const {
  wire::join what{.protocol = remote::protocol_version,
                  .version = std::string(version),
                  .name = parts.settings->node.name,
                  .id = id,
                  .head = read_line(root / "head"),
                  .address = parts.settings->node.name,
                  .devices = parts.devices,
                  .job_types = {},
                  .holds = held_runs(control),
                  .workers = {}};
  for (const auto& type : parts.settings->job_types)
    what.job_types.push_back(type.name);
  for (const auto& found : control.find_workers())
    if (found.is_alive)
      what.workers.push_back({found.id, found.device});
    else if (auto buried = control.bury_worker(found.id); !buried)
      spdlog::error("{}", to_string(buried.error()));
  return what;
}

std::shared_ptr<runners::run_control> node_member::implementation::make_control(const std::shared_ptr<run_router>& router,
                                                                                const std::shared_ptr<session_end>& ending) const {
  return {new runners::run_control(root / "runs", parts.shim, parts.settings->runs.shims_ready,
                                   [router](runners::run_control::report what) { router->deliver(std::move(what)); }),
          [ending](runners::run_control* control) {
            delete control;
            ending->control_is_gone();
          }};
}

// The node's files are of one head's runs.
result<void> node_member::implementation::joined(const std::string& head) {
  if (read_line(root / "head") == head)
    return {};
  return remote::replace_file(root / "head", head + "\n", 0600);
}

std::shared_ptr<session_end> node_member::implementation::run_session(const remote::gateway_actor& head) {
  const auto ending = std::make_shared<session_end>();
  node_link_actor link;
  {
    const auto router = std::make_shared<run_router>();
    auto control = make_control(router, ending);
    control->sweep();
    auto what = offer(*control);
    link = spawn_node_link(system, {.head = head,
                                    .offer = std::move(what),
                                    .devices = parts.devices,
                                    .settings = parts.settings,
                                    .control = std::move(control),
                                    .router = router,
                                    .lease = lease,
                                    .runs = root / "runs",
                                    .cache = root / "cache",
                                    .lease_path = root / runners::lease_file_name,
                                    .read_devices = parts.read_devices,
                                    .on_joined =
                                        [this, ending](const wire::welcome& welcome) {
                                          spdlog::info("joined the head at {} as node {}", parts.settings->node.join,
                                                       parts.settings->node.name);
                                          ending->was_joined(welcome.session);
                                          return joined(welcome.head);
                                        },
                                    .on_ended = [ending](const error& why) { ending->note(why); }});
    on_exit(link, [ending](const caf::error&) { ending->link_is_gone(); });
    on_exit(head, [weak = caf::actor_cast<caf::weak_actor_ptr>(link)](const caf::error&) {
      if (const auto there = caf::actor_cast<caf::strong_actor_ptr>(weak))
        caf::anon_send_exit(there, caf::exit_reason::user_shutdown);
    });
    const std::lock_guard lock(mutex);
    current = ending;
  }
  if (!ending->wait_for_link(stopping))
    leave(head, link, ending->session());
  link = nullptr;
  {
    const std::lock_guard lock(mutex);
    current.reset();
  }
  ending->wait_for_control();
  return ending;
}

// The head need not wait to find out.
void node_member::implementation::leave(const remote::gateway_actor& head, const node_link_actor& link,
                                        wire::session_number session) {
  caf::anon_send_exit(link, caf::exit_reason::user_shutdown);
  if (session == 0)
    return;
  caf::scoped_actor self(system);
  request(self.ptr(), head, leave_patience, wire::leave{parts.settings->node.name, session})
      .receive([](const remote::answer<wire::acknowledged>&) {}, [](const caf::error&) {});
}

// ---- one after the other ----------------------------------------------------------------------------------------------------

// False: it is to stop.
bool node_member::implementation::pause(std::size_t failures) {
  std::random_device random;
  const auto longest = backoff.at(std::min(failures, backoff.size() - 1));
  const auto wait = longest / 2 + std::chrono::milliseconds(random() % static_cast<unsigned>(longest.count() / 2 + 1));
  std::unique_lock lock(mutex);
  return !wake.wait_for(lock, wait, [this] { return stopping.load(); });
}

void node_member::implementation::keep() {
  const auto& node = parts.settings->node;
  std::size_t failures = 0;
  std::string last;
  const auto say = [&](const std::string& what) {
    if (std::exchange(last, what) != what)
      spdlog::warn("{}", what);
  };
  do {
    auto head = remote::connect(system, node.head_host(), node.head_port(), stopping);
    if (!head) {
      ++failures;
      say("no head at " + node.join + " lets this node in: " + to_string(head.error()));
      continue;
    }
    const auto ending = run_session(*head);
    if (stopping)
      return;
    const bool was_in = ending->session() != 0;
    failures = was_in ? 0 : failures + 1;
    if (was_in)
      last.clear();
    say("not connected to the head at " + node.join + ": " + ending->why());
  } while (pause(failures));
}

// While there is no session nobody follows the runs, so that nobody notices when a shim is killed.
void node_member::implementation::end_orphans() {
  runners::unattended_runs unattended(root / "runs");
  std::unique_lock lock(mutex);
  while (!wake.wait_for(lock, orphan_pause, [this] { return stopping.load(); })) {
    if (current && current->session() != 0)
      continue;
    lock.unlock();
    for (const auto& path : unattended.end_orphans())
      spdlog::warn("the shim of {} is gone, and no head is there to say so: what it left behind is ended", path.string());
    lock.lock();
  }
}

result<std::unique_ptr<node_member>> node_member::start(caf::actor_system& system, node_member_parts parts) {
  if (auto named = remote::check_node_name(parts.settings->node.name); !named)
    return fail(named.error());
  const auto& data_dir = parts.settings->storage.data_dir;
  auto owned = storage::data_directory::own(data_dir);
  if (!owned)
    return fail(owned.error());
  const auto root = data_dir / "node";
  std::error_code failed;
  fs::create_directories(root, failed);
  fs::permissions(root, fs::perms::owner_all, failed);
  if (failed)
    return fail(error_code::io, "cannot make " + root.string() + ": " + failed.message());
  auto id = read_line(root / "id");
  if (id.empty()) {
    id = remote::make_identity();
    if (auto written = remote::replace_file(root / "id", id + "\n", 0600); !written)
      return fail(written.error());
  }
  auto lease = runners::lease_file::open(root / runners::lease_file_name);
  if (!lease)
    return fail(lease.error());
  auto impl = std::make_unique<implementation>(system, std::move(parts), std::move(*owned), std::move(*lease));
  impl->id = id;
  impl->keeper = std::thread([raw = impl.get()] { raw->keep(); });
  impl->warden = std::thread([raw = impl.get()] { raw->end_orphans(); });
  return std::unique_ptr<node_member>(new node_member(std::move(impl)));
}

node_member::node_member(std::unique_ptr<implementation> impl) : impl_(std::move(impl)) {}

node_member::~node_member() {
  std::shared_ptr<session_end> now;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    now = impl_->current;
    impl_->wake.notify_all();
  }
  if (now)
    now->wake();
  impl_->keeper.join();
  impl_->warden.join();
}

} // namespace ferry::actors
