#include "actors/node_inputs_actor.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace ferry::actors {
namespace {

namespace wire = remote::node;

struct node_inputs_state {
  using handle = node_inputs_actor;

  node_inputs_state(handle::pointer self, node_inputs_parts parts) : self_(self), parts_(std::move(parts)) {}

  handle::behavior_type make_behavior() {
    return {
        [this](fetch_inputs& what) -> caf::result<result<done>> {
          auto promise = self_->make_response_promise<result<done>>();
          fetches_.push_back({std::move(what), promise});
          proceed();
          return promise;
        },
        [this](const abandon_inputs& what) {
          for (fetch& one : fetches_)
            if (one.what.batch == what.batch)
              one.is_abandoned = true;
          proceed();
        },
        [this](const release_inputs& what) { in_use_.erase(what.batch); },
    };
  }

private:
  struct fetch {
    fetch_inputs what;
    caf::typed_response_promise<result<done>> promise;
    std::size_t input = 0, file = 0; // that is being fetched
    bool has_room = false;           // for that input
    bool is_abandoned = false;
  };

  void proceed() {
    while (!is_asking_ && !fetches_.empty()) {
      fetch& one = fetches_.front();
      if (one.is_abandoned)
        end(fail(error_code::conflict, "its inputs are not needed any more"));
      else if (one.input == one.what.inputs.size())
        end(done{});
      else if (auto next = step(one, one.what.inputs[one.input]); !next)
        end(fail(next.error()));
    }
  }

  void end(result<done> how) {
    auto promise = fetches_.front().promise;
    if (!how)
      in_use_.erase(fetches_.front().what.batch);
    fetches_.pop_front();
    promise.deliver(std::move(how));
  }

  result<void> step(fetch& one, const wire::input& input) {
    const auto files = files_of(input);
    in_use_[one.what.batch].insert(parts_.cache.path_of(input.root, files));
    if (parts_.cache.has(input.root, files)) {
      next_input(one);
      return {};
    }
    if (!std::exchange(one.has_room, true))
      if (auto room = make_room(files); !room)
        return room;
    if (one.file == files.size()) {
      next_input(one);
      return parts_.cache.finish(input.root, files);
    }
    const auto& file = files[one.file];
    const auto reached = parts_.cache.reached(input.root, files, file);
    if (reached < file.bytes) {
      ask(input.root, files, file, reached);
      return {};
    }
    ++one.file;
    return file.bytes == 0 ? parts_.cache.append(input.root, files, file, {}) : result<void>();
  }

  static void next_input(fetch& one) {
    ++one.input;
    one.file = 0;
    one.has_room = false;
  }

  result<void> make_room(const std::vector<runners::input_file>& files) const {
    std::uint64_t bytes = 0;
    for (const auto& file : files)
      bytes += file.bytes;
    std::set<std::filesystem::path> in_use;
    for (const auto& [batch, paths] : in_use_)
      in_use.insert(paths.begin(), paths.end());
    return parts_.cache.make_room(bytes, in_use);
  }

  void ask(const std::string& root, std::vector<runners::input_file> files, const runners::input_file& file, std::uint64_t offset) {
    is_asking_ = true;
    request(self_, parts_.head, parts_.patience,
            wire::fetch{parts_.name, parts_.session, fetches_.front().what.batch, root, file.path, offset})
        .then(
            [this, root, files = std::move(files), file](const remote::answer<wire::fetched>& got) {
              is_asking_ = false;
              const auto* fetched = std::get_if<wire::fetched>(&got);
              auto taken = fetched ? fetched->bytes.empty()
                                         ? result<void>(fail(error_code::io, "the head has less of " + root + " than it told"))
                                         : parts_.cache.append(root, files, file, fetched->bytes)
                                   : result<void>(fail(remote::to_error(std::get<remote::refusal>(got))));
              if (!taken)
                end(fail(taken.error()));
              proceed();
            },
            [this](const caf::error& why) { parts_.on_ended(to_string(why)); });
  }

  handle::pointer self_;
  node_inputs_parts parts_;
  std::deque<fetch> fetches_;
  std::map<batch_id, std::set<std::filesystem::path>> in_use_;
  bool is_asking_ = false;
};

} // namespace

std::vector<runners::input_file> files_of(const remote::node::input& one) {
  std::vector<runners::input_file> files;
  for (const auto& file : one.files)
    files.push_back({file.path, file.bytes, file.modified_ns});
  return files;
}

node_inputs_actor spawn_node_inputs(caf::actor_system& system, node_inputs_parts parts) {
  return spawn<node_inputs_state, caf::detached>(system, std::move(parts));
}

} // namespace ferry::actors
