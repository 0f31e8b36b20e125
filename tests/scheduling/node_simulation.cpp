#include "node_simulation.hpp"

#include "simulated_head.hpp"
#include "simulated_node.hpp"

#include <memory>

namespace ferry::scheduling::test {
namespace {

using namespace std::chrono_literals;

constexpr auto chaos_lasts = 90s;
constexpr auto all_is_well_within = 600s; // after that

class story {
public:
  story(std::uint64_t seed, flaw wrong) : world_(seed, wrong), head_(world_, simulated_head::rules_with(wrong)) {
    const std::size_t count = 1 + world_.pick(3);
    for (std::size_t i = 0; i < count; ++i)
      add(std::string(1, static_cast<char>('a' + i)));
    for (std::size_t jobs = 3 + world_.pick(6); jobs > 0; --jobs)
      world_.after(world_.between(0s, chaos_lasts),
                   [this] { head_.submit(world_.chance(0.2), world_.between(100ms, world_.chance(0.5) ? 5s : 40s)); });
    harm_mean_ = world_.between(500ms, 8s);
    head_.start();
    harm_later();
  }

  simulated play() {
    const auto calm_from = world_.now + chaos_lasts, late_from = calm_from + all_is_well_within;
    while (!world_.broken && world_.step()) {
      check();
      if (!world_.is_calm && world_.now >= calm_from)
        heal();
      if (world_.is_calm && head_.jobs_left() == 0)
        break;
      if (world_.now >= late_from)
        world_.fail(std::to_string(head_.jobs_left()) + " jobs never ended");
    }
    return {world_.broken, world_.seen};
  }

private:
  simulated_node& add(const std::string& name) {
    const std::string id = name + std::to_string(nodes_.size());
    nodes_.push_back(std::make_unique<simulated_node>(world_, head_, name, id));
    nodes_.back()->start_daemon();
    return *nodes_.back();
  }

  void harm_later() {
    world_.after(world_.between(0ms, harm_mean_ * 2), [this] {
      if (world_.is_calm)
        return;
      harm();
      harm_later();
    });
  }

  void harm() {
    simulated_node& node = *nodes_[world_.pick(nodes_.size())];
    const auto brief = world_.between(50ms, 5s), lasting = world_.between(1s, 40s);
    switch (world_.pick(10)) {
    case 0: cut(node.up_is_cut, lasting); break;
    case 1: cut(node.down_is_cut, lasting); break;
    case 2:
      cut(node.up_is_cut, lasting);
      cut(node.down_is_cut, lasting);
      break;
    case 3:
      node.kill_daemon();
      world_.after(world_.chance(0.5) ? brief : lasting, [&node] { node.start_daemon(); });
      break;
    case 4:
      node.pause();
      world_.after(world_.chance(0.5) ? brief : lasting, [&node] { node.go_on(); });
      break;
    case 5:
      node.power_off();
      world_.after(lasting, [&node] { node.power_on(); });
      break;
    case 6:
      head_.kill();
      world_.after(world_.chance(0.7) ? brief : lasting, [this] { head_.start(); });
      break;
    case 7:
      head_.pause();
      world_.after(world_.chance(0.7) ? brief : lasting, [this] { head_.go_on(); });
      break;
    case 8: head_.stop_something(); break;
    default:
      if (nodes_.size() < 5 && world_.chance(0.3))
        replace(node);
      break;
    }
  }

  void cut(bool& link, nanoseconds lasts) {
    link = true;
    world_.after(lasts, [&link] { link = false; });
  }

  // Another machine comes under its name, and it may be gone for ever, or not.
  void replace(simulated_node& old) {
    if (world_.chance(0.5)) {
      old.destroy();
      mourn(old);
    }
    add(old.name());
  }

  // Again and again: a join of it that was late can bring it back into the book.
  void mourn(const simulated_node& gone) {
    world_.after(world_.between(1s, 20s), [this, &gone] {
      head_.remove_by_force(gone);
      mourn(gone);
    });
  }

  void heal() {
    world_.is_calm = true;
    head_.start();
    head_.go_on();
    for (const auto& node : nodes_) {
      node->up_is_cut = node->down_is_cut = false;
      node->power_on();
      node->start_daemon();
      node->go_on();
    }
  }

  void check() {
    if (head_.is_alive())
      if (const auto broken = head_.book().check_invariants())
        world_.fail(*broken);
    for (const auto& node : nodes_)
      for (const auto& each : node->executions()) {
        const std::string what = "job " + to_string(each.job) + " in batch " + to_string(each.batch) + " on " + node->id();
        if (!head_.counts_on(each.batch, each.job, node->name()))
          world_.fail(what + " runs, and the head has given it up");
        const auto lease = head_.is_alive() ? head_.book().lease_of(node->name()) : std::nullopt;
        if (lease && *lease < each.until.value_or(boot_instant::max()))
          world_.fail(what + " may run for longer than the head believes");
      }
  }

  world world_;
  simulated_head head_;
  std::vector<std::unique_ptr<simulated_node>> nodes_;
  nanoseconds harm_mean_{};
};

} // namespace

simulated simulate_nodes(std::uint64_t seed, flaw wrong) { return story(seed, wrong).play(); }

} // namespace ferry::scheduling::test
