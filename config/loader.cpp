#include "config/loader.hpp"

#include "config/limits.hpp"
#include "config/locations.hpp"
#include "config/slurm_check.hpp"
#include "config/text.hpp"
#include "model/device_selector.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <climits>
#include <cstring>
#include <unistd.h>

namespace ferry::config {
namespace {

// Empty, or what is wrong with "host:port"; writes the address in its numeric form.
std::string check_address(std::string& listen, bool& loopback) {
  const std::size_t colon = listen.rfind(':');
  std::string host = colon == std::string::npos ? "" : listen.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : listen.substr(colon + 1);
  int number = 0;
  const auto [end, fault] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (host.empty() || port.empty() || fault != std::errc{} || end != port.data() + port.size())
    return "must be host:port, is \"" + shortened(listen) + "\"";
  if (number < 0 || number > 65535)
    return "must have a port of 0 (any that is free) to 65535, is \"" + shortened(listen) + "\"";
  if (host == "localhost")
    host = "127.0.0.1";
  in_addr v4{};
  in6_addr v6{};
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed && inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) == 1)
    loopback = std::memcmp(&v6, &in6addr_loopback, sizeof v6) == 0;
  else if (!bracketed && inet_pton(AF_INET, host.c_str(), &v4) == 1)
    loopback = (ntohl(v4.s_addr) >> 24U) == 127;
  else
    return "must have a numeric address, is \"" + shortened(listen) + "\"";
  listen = host + ":" + port;
  return {};
}

std::string check_listen(std::string& listen, bool has_tls, std::string& hint) {
  bool loopback = false;
  hint = "write \"auto\", \"127.0.0.1:7878\" or \"[::1]:7878\"";
  if (std::string fault = check_address(listen, loopback); !fault.empty())
    return fault;
  if (!loopback && !has_tls) {
    hint = "off loopback it listens only with TLS: set http.tcp.certificate and http.tcp.key, or forward the port with ssh";
    return "must be a loopback address, is \"" + shortened(listen) + "\"";
  }
  return {};
}

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  return ::gethostname(name, HOST_NAME_MAX) == 0 ? name : "node";
}

// "host:port", where the host may be a name.
std::string fault_of_join(const std::string& join) {
  const auto colon = join.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return "must be a host and a port, is \"" + shortened(join) + "\"";
  std::uint32_t port = 0;
  const auto [end, failed] = std::from_chars(join.data() + colon + 1, join.data() + join.size(), port);
  if (failed != std::errc() || end != join.data() + join.size() || port == 0 || port > 65'535)
    return "must end in a port from 1 to 65535, is \"" + shortened(join) + "\"";
  return {};
}

// Other machines are spoken to by mutual TLS or not at all.
void check_node(toml_reader& reader, const toml::table& root, node_settings& s) {
  const auto node = [&](const char* key) { return root.at_path(std::string("node.") + key).node(); };
  if (s.name.empty())
    s.name = host_name();
  if (s.is_on() && s.is_member())
    reader.report("node.join", node("join"), "cannot be set beside node.listen: a node has no nodes of its own",
                  "remove one of them");
  if (const std::string fault = s.is_member() ? fault_of_join(s.join) : std::string(); !fault.empty())
    reader.report("node.join", node("join"), fault, "write \"head.example:7879\"");
  if (!s.is_on() && !s.is_member())
    return;
  bool loopback = false;
  if (const std::string fault = s.is_on() ? check_address(s.listen, loopback) : std::string(); !fault.empty())
    reader.report("node.listen", node("listen"), fault, "write \"0.0.0.0:7879\" or the address of one of this machine's networks");
  if (s.lease <= s.heartbeat + s.silent_after)
    reader.report("node.lease", node("lease"),
                  "must be longer than node.heartbeat and node.silent_after together, " +
                      std::to_string((s.heartbeat + s.silent_after).count()) + " ms; it is " + std::to_string(s.lease.count()) +
                      " ms");
  for (const auto& [key, file] : {std::pair{"certificate", &s.certificate}, {"key", &s.key}, {"ca", &s.ca}})
    if (file->empty())
      reader.report(std::string("node.") + key, node(s.is_on() ? "listen" : "join"),
                    std::string("is missing: with node.") + (s.is_on() ? "listen" : "join") +
                        " all of certificate, key and ca are needed",
                    "`ferry certs issue NAME` makes them");
}

// Names as they stand in a URL, without a port. Compared in lower case.
void check_hosts(toml_reader& reader, const toml::node* node, std::vector<std::string>& hosts) {
  if (hosts.size() > limits::hosts_max)
    reader.report("http.tcp.hosts", node,
                  "must have at most " + std::to_string(limits::hosts_max) + " names, has " + std::to_string(hosts.size()));
  for (std::string& host : hosts) {
    for (char& c : host)
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool fits = !host.empty() && host.size() <= 253 &&
                      host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") == std::string::npos;
    if (!fits)
      reader.report("http.tcp.hosts", node, "must hold names such as \"gpu.example.org\", holds \"" + shortened(host) + "\"",
                    "leave out the scheme and the port");
  }
}

void check_weight(toml_reader& reader, const std::string& key, const toml::node* node, double weight) {
  if (weight < limits::user_weight_min)
    reader.report(key, node, "must be at least 0.01, is " + shown(json(weight)));
}

void check_tier_weights(toml_reader& reader, const toml::table* table, const config::fair_share_rules& rules) {
  for (const auto& [tier, weight] : rules.tier_weights) {
    const auto key = dotted("queue.fair_share.tier_weights", tier);
    const auto* node = table ? table->get(tier) : nullptr;
    check_weight(reader, key, node, weight);
    int number = -1;
    const auto read = std::from_chars(tier.data(), tier.data() + tier.size(), number);
    if (read.ec != std::errc{} || std::to_string(number) != tier || number < 0 || number > limits::tier_max)
      reader.report(key, node, "the name of a tier is its number, 0 to " + std::to_string(limits::tier_max));
  }
  if (rules.tiers_share() && !rules.is_on())
    reader.report("queue.fair_share.tier_weights", table, "needs queue.fair_share.window, which is \"0s\"",
                  "shares are of the time in which use counts; set a window, such as \"24h\"");
}

void check_weights(toml_reader& reader, const toml::table* table, const std::map<std::string, double>& weights) {
  for (const auto& [user, weight] : weights) {
    const auto key = dotted("queue.fair_share.weights", user);
    check_weight(reader, key, table ? table->get(user) : nullptr, weight);
    if (user.empty() || user.size() > limits::user_name_bytes_max)
      reader.report(key, table ? table->get(user) : nullptr,
                    "the name of a user has 1 to " + std::to_string(limits::user_name_bytes_max) + " bytes, this one has " +
                        std::to_string(user.size()));
  }
}

void check_shared(toml_reader& reader, const toml::node* node, std::vector<std::string>& folders) {
  for (std::string& folder : folders) {
    const auto plain = std::filesystem::path(folder).lexically_normal();
    if (!plain.is_absolute() || plain == "/")
      reader.report("paths.shared", node, "must hold absolute paths of folders below /, holds \"" + shortened(folder) + "\"");
    folder = plain.string();
    while (folder.size() > 1 && folder.back() == '/')
      folder.pop_back();
  }
}

void check_labels(toml_reader& reader, const toml::table* table, const std::map<std::string, std::string>& labels) {
  for (const auto& [name, value] : labels) {
    const auto key = dotted("devices.labels", name);
    const auto* node = table ? table->get(name) : nullptr;
    if (is_reserved_label(name))
      reader.report(key, node, "every device has this label already");
    else if (!is_label_name(name) || name.size() > limits::label_name_bytes_max)
      reader.report(key, node,
                    "a label is named a-z, then a-z, 0-9, _ and -, with at most " + std::to_string(limits::label_name_bytes_max) +
                        " bytes");
    if (value.empty() || value.size() > limits::label_value_bytes_max)
      reader.report(key, node,
                    "must have 1 to " + std::to_string(limits::label_value_bytes_max) + " bytes, has " +
                        std::to_string(value.size()));
  }
  if (labels.size() >= limits::labels_max) // one is the node's
    reader.report("devices.labels", table,
                  "must hold at most " + std::to_string(limits::labels_max - 1) + ", holds " + std::to_string(labels.size()));
}

} // namespace

void check_settings(toml_reader& reader, const toml::table& root, settings& s) {
  const auto node = [&](const char* path) { return root.at_path(path).node(); };
  if (!s.http.tcp.listen.empty() && s.http.tcp.listen != "auto") {
    std::string hint;
    if (std::string fault = check_listen(s.http.tcp.listen, !s.http.tcp.certificate.empty(), hint); !fault.empty())
      reader.report("http.tcp.listen", node("http.tcp.listen"), fault, hint);
  }
  if (s.http.tcp.certificate.empty() != s.http.tcp.key.empty()) {
    const bool has_key = s.http.tcp.certificate.empty();
    reader.report(has_key ? "http.tcp.key" : "http.tcp.certificate", node(has_key ? "http.tcp.key" : "http.tcp.certificate"),
                  std::string("needs ") + (has_key ? "http.tcp.certificate" : "http.tcp.key") + " beside it",
                  "set both, or none: then TCP is served without TLS");
  }
  check_hosts(reader, node("http.tcp.hosts"), s.http.tcp.hosts);
  check_slurm(reader, root, s);
  if (const std::string socket = s.http.socket.string(); socket.size() > limits::socket_path_bytes_max)
    reader.report("http.socket", node("http.socket"),
                  "must have at most " + std::to_string(limits::socket_path_bytes_max) + " bytes, has " +
                      std::to_string(socket.size()) + ": " + shortened(socket, 160),
                  "Unix sockets have short paths; set http.socket to a shorter one");
  check_node(reader, root, s.node);
  check_shared(reader, node("paths.shared"), s.paths.shared);
  check_labels(reader, root.at_path("devices.labels").as_table(), s.devices.labels);
  check_weights(reader, root.at_path("queue.fair_share.weights").as_table(), s.queue.fair_share.weights);
  check_tier_weights(reader, root.at_path("queue.fair_share.tier_weights").as_table(), s.queue.fair_share);
}

result<settings> parse(std::string_view toml, const std::filesystem::path& file) {
  auto root = parse_toml(toml, file);
  if (!root)
    return fail(std::move(root.error()));
  toml_reader reader(file);
  settings s;
  read_options(reader, *root, s);
  if (std::string& library = s.devices.gpu.nvml_library; library.find('/') != std::string::npos)
    library = reader.anchored(library);
  fill_default_paths(s);
  check_settings(reader, *root, s);
  read_job_types(reader, root->get("job_types"), s);
  check_slurm_types(reader, *root, s);
  if (!reader.has_problems())
    return s;
  std::vector<problem> problems = reader.take_problems();
  const std::string count = problems.size() == 1 ? "a problem" : std::to_string(problems.size()) + " problems";
  return fail(error{error_code::invalid_argument, "the configuration has " + count, {}, std::move(problems)});
}

result<settings> load(const std::filesystem::path& file) {
  const auto text = read_config_text(file);
  return text ? parse(*text, file) : tl::make_unexpected(text.error());
}

settings defaults() {
  settings s;
  fill_default_paths(s);
  s.node.name = host_name();
  s.job_types.push_back(built_in_command());
  return s;
}

const job_type* settings::find_job_type(std::string_view name) const {
  const auto it = std::find_if(job_types.begin(), job_types.end(), [&](const job_type& type) { return type.name == name; });
  return it == job_types.end() ? nullptr : &*it;
}

} // namespace ferry::config
