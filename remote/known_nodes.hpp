// The nodes that have joined this head, on disk: their devices are known, and named to users, also while a node is away. A small
// file, <data_dir>/nodes.json, replaced whole.
#pragma once

#include "model/device.hpp"
#include "model/error.hpp"
#include "model/time.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ferry::remote {

struct known_node {
  std::string name;
  std::string id;              // of its data directory
  std::string version;         // of its ferry
  std::string address;         // for people
  std::vector<device> devices; // as on the node itself, but that each says which job types run there
  bool is_drained = false;     // a user wished that nothing is started there
  instant joined{};            // last

  friend bool operator==(const known_node&, const known_node&) = default;
};

// 32 random hexadecimal digits.
[[nodiscard]] std::string make_identity();

// [A-Za-z0-9][A-Za-z0-9_.-]*, at most limits::node_name_bytes_max bytes. Errors: invalid_argument.
[[nodiscard]] result<void> check_node_name(const std::string& name);

// May be used from several threads.
class known_nodes {
public:
  // A file that is missing holds none. Errors: damaged, io.
  [[nodiscard]] static result<std::shared_ptr<known_nodes>> open(std::filesystem::path file);

  // True: what schedulers have to know of it (devices, job types) has changed. Errors: disk_full, io, too_large
  // (limits::nodes_max); nothing has changed then.
  [[nodiscard]] result<bool> put(known_node node);
  // Errors: not_found, disk_full, io.
  [[nodiscard]] result<void> set_drained(const std::string& name, bool drained);
  [[nodiscard]] result<void> remove(const std::string& name);

  // By which nodes know this head again; made once.
  [[nodiscard]] const std::string& head_id() const { return head_id_; }
  [[nodiscard]] std::optional<known_node> find(const std::string& name) const;
  [[nodiscard]] std::vector<known_node> all() const; // by name
  // Of all nodes, named as the head does: "alpha:cpu".
  [[nodiscard]] std::vector<device> devices() const;

private:
  explicit known_nodes(std::filesystem::path file) : file_(std::move(file)) {}
  using nodes = std::map<std::string, known_node>;
  [[nodiscard]] result<void> store(nodes next);

  std::filesystem::path file_;
  std::string head_id_;
  mutable std::mutex mutex_;
  nodes nodes_;
};

} // namespace ferry::remote
