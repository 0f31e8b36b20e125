#include "remote/known_nodes.hpp"

#include "config/limits.hpp"
#include "model/job.hpp"
#include "remote/certificate_files.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

namespace ferry::remote {
namespace {

json to_json(const device& d) {
  json document{{"id", d.id},       {"kind", to_string(d.kind)},  {"name", d.name},
                {"slots", d.slots}, {"memory_mib", d.memory_mib}, {"threads", d.threads}};
  if (d.job_types)
    document["job_types"] = *d.job_types;
  if (!d.labels.empty())
    document["labels"] = d.labels;
  return document;
}

device device_from(const json& document) {
  device d{.id = document.at("id"),
           .kind = document.at("kind") == to_string(device_kind::gpu) ? device_kind::gpu : device_kind::cpu,
           .name = document.at("name"),
           .slots = document.at("slots"),
           .memory_mib = document.at("memory_mib"),
           .threads = document.at("threads")};
  if (document.contains("job_types"))
    d.job_types = document.at("job_types").get<std::vector<std::string>>();
  if (document.contains("labels"))
    d.labels = document.at("labels").get<std::map<std::string, std::string>>();
  return d;
}

json to_json(const known_node& n) {
  json devices = json::array();
  for (const device& d : n.devices)
    devices.push_back(to_json(d));
  return {{"name", n.name},
          {"id", n.id},
          {"version", n.version},
          {"address", n.address},
          {"devices", devices},
          {"drained", n.is_drained},
          {"joined_ms", to_unix_ms(n.joined)}};
}

known_node node_from(const json& document) {
  known_node n{.name = document.at("name"),
               .id = document.at("id"),
               .version = document.at("version"),
               .address = document.at("address"),
               .devices = {},
               .is_drained = document.at("drained"),
               .joined = from_unix_ms(document.at("joined_ms"))};
  for (const json& d : document.at("devices"))
    n.devices.push_back(device_from(d));
  return n;
}

error unknown(const std::string& name) {
  return {error_code::not_found, "there is no node '" + name + "'", "`ferry nodes` lists them", {}};
}

} // namespace

std::string make_identity() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 32; ++i)
    id += "0123456789abcdef"[random() % 16];
  return id;
}

result<void> check_node_name(const std::string& name) {
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  };
  if (!name.empty() && name.size() <= limits::node_name_bytes_max && std::all_of(name.begin(), name.end(), is_good) &&
      name.front() != '.' && name.front() != '-' && name.front() != '_')
    return {};
  return fail(error_code::invalid_argument,
              "a node's name is made of letters, digits, '_', '.' and '-', begins with a letter or digit, and takes at most " +
                  std::to_string(limits::node_name_bytes_max) + " bytes; it is '" + name.substr(0, limits::node_name_bytes_max) +
                  "'",
              "set node.name");
}

result<std::shared_ptr<known_nodes>> known_nodes::open(std::filesystem::path file) {
  std::shared_ptr<known_nodes> made(new known_nodes(std::move(file)));
  std::error_code failed;
  if (!std::filesystem::exists(made->file_, failed)) {
    made->head_id_ = make_identity(); // stored with the first node
    return made;
  }
  try {
    std::ifstream in(made->file_, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!in)
      return fail(error_code::io, "cannot read " + made->file_.string());
    const json document = json::parse(text);
    made->head_id_ = document.at("head");
    for (const json& one : document.at("nodes")) {
      auto node = node_from(one);
      made->nodes_.insert_or_assign(node.name, std::move(node));
    }
  } catch (const std::ios_base::failure&) { // so the library tells of a failed read
    return fail(error_code::io, "cannot read " + made->file_.string());
  } catch (const json::exception&) {
    return fail(error_code::damaged, made->file_.string() + " cannot be read",
                "mend or remove it: nodes are entered again when they join");
  }
  return made;
}

result<void> known_nodes::store(nodes next) {
  json list = json::array();
  for (const auto& [name, node] : next)
    list.push_back(to_json(node));
  if (auto stored = replace_file(file_, json{{"head", head_id_}, {"nodes", std::move(list)}}.dump(2) + "\n", 0600); !stored)
    return stored;
  nodes_ = std::move(next);
  return {};
}

result<bool> known_nodes::put(known_node node) {
  const std::lock_guard lock(mutex_);
  const auto before = nodes_.find(node.name);
  if (before == nodes_.end() && nodes_.size() >= limits::nodes_max)
    return fail(error_code::too_large,
                "this head has " + std::to_string(nodes_.size()) + " nodes; at most " + std::to_string(limits::nodes_max) +
                    " are allowed",
                "remove those that are gone: `ferry node remove NAME`");
  const bool is_other = before == nodes_.end() || before->second.devices != node.devices;
  if (before != nodes_.end())
    node.is_drained = before->second.is_drained;
  auto next = nodes_;
  const auto name = node.name;
  next.insert_or_assign(name, std::move(node));
  if (auto stored = store(std::move(next)); !stored)
    return fail(stored.error());
  return is_other;
}

result<void> known_nodes::set_drained(const std::string& name, bool drained) {
  const std::lock_guard lock(mutex_);
  auto next = nodes_;
  const auto found = next.find(name);
  if (found == next.end())
    return fail(unknown(name));
  found->second.is_drained = drained;
  return store(std::move(next));
}

result<void> known_nodes::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto next = nodes_;
  if (next.erase(name) == 0)
    return fail(unknown(name));
  return store(std::move(next));
}

std::optional<known_node> known_nodes::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<known_node> known_nodes::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<known_node> list;
  for (const auto& [name, node] : nodes_)
    list.push_back(node);
  return list;
}

std::vector<device> known_nodes::devices() const {
  std::vector<device> all_devices;
  for (const auto& node : all())
    for (device d : node.devices) {
      d.id = node.name + ":" + d.id;
      d.name = d.name + " of " + node.name;
      all_devices.push_back(std::move(d));
    }
  return all_devices;
}

} // namespace ferry::remote
