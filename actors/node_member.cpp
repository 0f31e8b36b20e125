#include "actors/node_member.hpp"

#include "actors/node_link_actor.hpp"
#include "actors/run_router.hpp"
#include "model/version.hpp"
#include "remote/certificate_files.hpp"
#include "remote/known_nodes.hpp"
#include "storage/data_directory.hpp"

#include <algorithm>
#include <array>
#include <caf/openssl/remote_actor.hpp>
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
  void was_joined() {
    const std::lock_guard lock(mutex_);
    joined_ = true;
  }
  void wait_for_control() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return control_gone_; });
  }
  // False: `stop` came first.
  bool wait_for_link(const bool& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return link_gone_ || stop; });
    return link_gone_;
  }
  void wake() {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }
  [[nodiscard]] bool joined() const {
    const std::lock_guard lock(mutex_);
    return joined_;
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
  bool link_gone_ = false, control_gone_ = false, joined_ = false;
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
  bool pause(std::size_t failures);
  std::shared_ptr<session_end> run_session(const remote::gateway_actor& head);
  [[nodiscard]] wire::join offer(const runners::run_control& control) const;
  [[nodiscard]] std::vector<batch_id> held_runs() const;
  [[nodiscard]] std::shared_ptr<runners::run_control> make_control(const std::shared_ptr<run_router>& router,
                                                                   const std::shared_ptr<session_end>& ending) const;
  result<void> joined(const std::string& head);
  void leave();
  [[nodiscard]] bool is_stopping() const {
    const std::lock_guard lock(mutex);
    return stopping;
  }

  caf::actor_system& system;
  node_member_parts parts;
  storage::data_directory owned;
  fs::path root;
  std::string id;
  std::shared_ptr<runners::lease_file> lease;

  mutable std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  std::shared_ptr<session_end> current; // null: no session
  node_link_actor link;
  std::thread keeper;
};

// ---- one session ------------------------------------------------------------------------------------------------------------

std::vector<batch_id> node_member::implementation::held_runs() const {
  std::vector<batch_id> held;
  std::error_code failed;
  for (fs::directory_iterator at(root / "runs", failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (!name.empty() && name.size() <= 18 && name.find_first_not_of("0123456789") == std::string::npos)
      held.push_back({std::stoll(name)});
  }
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
                  .holds = held_runs(),
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
  {
    const auto router = std::make_shared<run_router>();
    auto control = make_control(router, ending);
    control->sweep();
    auto what = offer(*control);
    const auto made = spawn_node_link(system, {.head = head,
                                               .offer = std::move(what),
                                               .devices = parts.devices,
                                               .settings = parts.settings,
                                               .control = std::move(control),
                                               .router = router,
                                               .lease = lease,
                                               .runs = root / "runs",
                                               .lease_path = root / runners::lease_file_name,
                                               .read_devices = parts.read_devices,
                                               .on_joined =
                                                   [this, ending](const std::string& of) {
                                                     spdlog::info("joined the head at {} as node {}", parts.settings->node.join,
                                                                  parts.settings->node.name);
                                                     ending->was_joined();
                                                     return joined(of);
                                                   },
                                               .on_ended = [ending](const error& why) { ending->note(why); }});
    on_exit(made, [ending](const caf::error&) { ending->link_is_gone(); });
    on_exit(head, [made](const caf::error&) { caf::anon_send_exit(made, caf::exit_reason::user_shutdown); });
    const std::lock_guard lock(mutex);
    current = ending;
    link = made;
  }
  if (!ending->wait_for_link(stopping))
    leave();
  {
    const std::lock_guard lock(mutex);
    current.reset();
    link = nullptr;
  }
  ending->wait_for_control();
  return ending;
}

void node_member::implementation::leave() {
  node_link_actor made;
  {
    const std::lock_guard lock(mutex);
    made = link;
  }
  caf::anon_send_exit(made, caf::exit_reason::user_shutdown);
}

// ---- one after the other ----------------------------------------------------------------------------------------------------

// False: it is to stop.
bool node_member::implementation::pause(std::size_t failures) {
  std::random_device random;
  const auto longest = backoff.at(std::min(failures, backoff.size() - 1));
  const auto wait = longest / 2 + std::chrono::milliseconds(random() % static_cast<unsigned>(longest.count() / 2 + 1));
  std::unique_lock lock(mutex);
  return !wake.wait_for(lock, wait, [this] { return stopping; });
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
    auto head = caf::openssl::remote_actor<remote::gateway_actor>(system, node.head_host(), node.head_port());
    if (!head) {
      ++failures;
      say("no head at " + node.join + " lets this node in: " + to_string(head.error()));
      continue;
    }
    const auto ending = run_session(*head);
    if (is_stopping())
      return;
    failures = ending->joined() ? 0 : failures + 1;
    if (ending->joined())
      last.clear();
    say("not connected to the head at " + node.join + ": " + ending->why());
  } while (pause(failures));
}

result<std::unique_ptr<node_member>> node_member::start(caf::actor_system& system, node_member_parts parts) {
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
}

} // namespace ferry::actors
