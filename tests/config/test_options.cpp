#include "config/limits.hpp"
#include "config/settings.hpp"
#include "support.hpp"

#include <catch2/catch_test_macros.hpp>
#include <sys/stat.h>
#include <unistd.h>

using namespace ferry;
using namespace ferry::config;
using namespace ferry::config::testing;

namespace {

struct bad_input {
  const char* toml;
  const char* where;
  int line;
  const char* what;
  const char* hint = "";
};

#define FILES "[node]\ncertificate = \"c\"\nkey = \"k\"\nca = \"a\"\n"

const bad_input bad_inputs[] = {
    // unknown keys
    {"strage.data_dir = 1", "strage", 1, "is not an option", "did you mean storage?"},
    {"[storage]\ndata_dri = \"x\"", "storage.data_dri", 2, "is not an option", "did you mean data_dir?"},
    {"\n\n[devices.cpu]\nslot = 1", "devices.cpu.slot", 4, "is not an option", "did you mean slots?"},
    {"[devices.cpu]\nmemory_mb = 1", "devices.cpu.memory_mb", 2, "is not an option", "did you mean memory_mib?"},
    {"shims_ready = 1", "shims_ready", 1, "is not an option", "did you mean runs.shims_ready?"},
    {"[storage]\nlisten = \"x\"", "storage.listen", 2, "is not an option", "did you mean node.listen?"},
    {"[colours]\nred = 1", "colours", 1, "is not an option",
     "known here: devices, http, job_types, log, node, paths, queue, runs, storage, uploads"},
    {"\"odd key\" = 1", "\"odd key\"", 1, "is not an option"},
    {"\"\" = 1", "\"\"", 1, "is not an option"},
    {"\"devices.cpu.slots\" = 1", "\"devices.cpu.slots\"", 1, "is not an option"},
    {"jobtypes.x.command = [\"true\"]", "jobtypes", 1, "is not an option", "did you mean job_types?"},
    // wrong types
    {"storage = 1", "storage", 1, "must be a table, is 1", "data_dir"},
    {"http.tcp = \"127.0.0.1:1\"", "http.tcp", 1, "must be a table, is \"127.0.0.1:1\"", "listen"},
    {"devices.cpu.slots = \"two\"", "devices.cpu.slots", 1, "must be a whole number, is \"two\""},
    {"devices.cpu.slots = 2.0", "devices.cpu.slots", 1, "must be a whole number, is 2.0"},
    {"devices.cpu.slots = [2]", "devices.cpu.slots", 1, "must be a whole number, is a list"},
    {"devices.cpu.slots = { n = 2 }", "devices.cpu.slots", 1, "must be a whole number, is a table"},
    {"devices.cpu.slots = nan", "devices.cpu.slots", 1, "must be a whole number, is not finite"},
    {"devices.cpu.slots = 2026-01-31", "devices.cpu.slots", 1, "must be a whole number, is a date or time"},
    {"devices.gpu.enabled = 1", "devices.gpu.enabled", 1, "must be true or false, is 1"},
    {"devices.gpu.enabled = \"yes\"", "devices.gpu.enabled", 1, "must be true or false, is \"yes\""},
    {"storage.data_dir = 7", "storage.data_dir", 1, "must be a path in quotes, is 7"},
    {"http.tcp.listen = 7878", "http.tcp.listen", 1, "must be text in quotes, is 7878"},
    {"log.level = true", "log.level", 1, "must be one of \"trace\", \"debug\", \"info\", \"warn\", \"error\", is true"},
    // bounds
    {"devices.cpu.slots = -1", "devices.cpu.slots", 1, "must be at least 0, is -1"},
    {"devices.cpu.slots = 257", "devices.cpu.slots", 1, "must be at most 256, is 257"},
    {"devices.cpu.slots = 9223372036854775807", "devices.cpu.slots", 1, "must be at most 256, is 9223372036854775807"},
    {"devices.cpu.memory_mib = 16777217", "devices.cpu.memory_mib", 1, "must be at most 16777216, is 16777217"},
    {"devices.cpu.threads = 1025", "devices.cpu.threads", 1, "must be at most 1024, is 1025"},
    {"devices.gpu.slots = 0", "devices.gpu.slots", 1, "must be at least 1, is 0"},
    {"paths.shared = [\"data\"]", "paths.shared", 1, "must hold absolute paths of folders below /, holds \"data\""},
    {"paths.shared = [\"/\"]", "paths.shared", 1, "must hold absolute paths of folders below /"},
    {"devices.labels = \"lab\"", "devices.labels", 1, "must be a table"},
    {"[devices.labels]\nnode = \"here\"", "devices.labels.node", 2, "every device has this label already"},
    {"[devices.labels]\nRoom = \"lab\"", "devices.labels.Room", 2, "a label is named a-z"},
    {"[devices.labels]\nroom = \"\"", "devices.labels.room", 2, "must have 1 to 200 bytes, has 0"},
    {"runs.shims_ready = 65", "runs.shims_ready", 1, "must be at most 64, is 65"},
    {"[queue.fair_share]\nwindow = \"-1s\"", "queue.fair_share.window", 2, "must be a duration"},
    {"queue.fair_share.window = \"367d\"", "queue.fair_share.window", 1, "must be at least 0s and at most 366d"},
    {"queue.fair_share.weight = 1", "queue.fair_share.weight", 1, "is not an option", "did you mean weights?"},
    {"queue.fair_share.weights = 2", "queue.fair_share.weights", 1, "must be a table of numbers, is 2"},
    {"[queue.fair_share.weights]\nada = \"2\"", "queue.fair_share.weights.ada", 2, "must be a number from 0 to 1000"},
    {"[queue.fair_share.weights]\nada = 1001", "queue.fair_share.weights.ada", 2, "must be a number from 0 to 1000, is 1001"},
    {"[queue.fair_share.weights]\nada = 0.001", "queue.fair_share.weights.ada", 2, "must be at least 0.01, is 0.001"},
    {"[queue.fair_share.weights]\nada = 0", "queue.fair_share.weights.ada", 2, "must be at least 0.01"},
    {"[queue.fair_share.tier_weights]\n2 = 1001", "queue.fair_share.tier_weights.2", 2, "must be a number from 0 to 1000, is 1001"},
    {"[queue.fair_share.tier_weights]\n2 = 0", "queue.fair_share.tier_weights.2", 2, "must be at least 0.01, is 0"},
    {"[queue.fair_share.tier_weights]\n10 = 1", "queue.fair_share.tier_weights.10", 2, "the name of a tier is its number, 0 to 9"},
    {"[queue.fair_share.tier_weights]\nhigh = 1", "queue.fair_share.tier_weights.high", 2, "its number, 0 to 9"},
    {"[queue.fair_share]\nwindow = \"0s\"\ntier_weights = { 1 = 2 }", "queue.fair_share.tier_weights", 3,
     "needs queue.fair_share.window"},
    {"[queue.fair_share.weights]\n\"\" = 1", "queue.fair_share.weights.\"\"", 2, "the name of a user has 1 to 100 bytes"},
    // choices
    {"storage.durability = \"fulll\"", "storage.durability", 1, "must be one of \"full\", \"normal\", is \"fulll\"",
     "did you mean full?"},
    {"storage.durability = \"off\"", "storage.durability", 1, "must be one of"},
    {"log.level = \"warning\"", "log.level", 1, "must be one of", "did you mean warn?"},
    // NUL characters
    {"storage.data_dir = \"/a\\u0000b\"", "storage.data_dir", 1, "must not hold a NUL character, is \"/a\\x00b\""},
    {"http.tcp.listen = \"\\u0000\"", "http.tcp.listen", 1, "must not hold a NUL character"},
    // where to listen
    {"http.tcp.listen = \"7878\"", "http.tcp.listen", 1, "must be host:port, is \"7878\"", "127.0.0.1:7878"},
    {"http.tcp.listen = \":7878\"", "http.tcp.listen", 1, "must be host:port"},
    {"http.tcp.listen = \"127.0.0.1:\"", "http.tcp.listen", 1, "must be host:port"},
    {"http.tcp.listen = \"127.0.0.1:http\"", "http.tcp.listen", 1, "must be host:port"},
    {"http.tcp.listen = \"127.0.0.1:80 \"", "http.tcp.listen", 1, "must be host:port"},
    {"http.tcp.listen = \"127.0.0.1:-1\"", "http.tcp.listen", 1, "must have a port of 0 (any that is free) to 65535"},
    {"http.tcp.listen = \"127.0.0.1:65536\"", "http.tcp.listen", 1, "must have a port of 0 (any that is free) to 65535"},
    {"http.tcp.listen = \"0.0.0.0:7878\"", "http.tcp.listen", 1, "must be a loopback address, is \"0.0.0.0:7878\"",
     "set http.tcp.certificate and http.tcp.key"},
    {"http.tcp.listen = \"192.168.1.5:7878\"", "http.tcp.listen", 1, "must be a loopback address"},
    {"http.tcp.listen = \"[::]:7878\"", "http.tcp.listen", 1, "must be a loopback address"},
    {"http.tcp.listen = \"::1:7878\"", "http.tcp.listen", 1, "must have a numeric address"},
    {"http.tcp.listen = \"example.org:7878\"", "http.tcp.listen", 1, "must have a numeric address"},
    {"[http.tcp]\ncertificate = \"a.pem\"", "http.tcp.certificate", 2, "needs http.tcp.key beside it", "set both, or none"},
    {"[http.tcp]\nkey = \"a.pem\"", "http.tcp.key", 2, "needs http.tcp.certificate beside it"},
    {"[http]\ntimeouts.idle = \"5ms\"", "http.timeouts.idle", 2, "must be at least 10ms and at most 1h, is \"5ms\""},
    {"[http]\ntimeouts.header = \"2h\"", "http.timeouts.header", 2, "must be at least 10ms and at most 1h"},
    {"http.connections_max = 0", "http.connections_max", 1, "must be at least 1, is 0"},
    {"http.connections_max = 16385", "http.connections_max", 1, "must be at most 16384, is 16385"},
    {"uploads.max_file_mib = 0", "uploads.max_file_mib", 1, "must be at least 1, is 0"},
    {"uploads.max_total_mib = 16777217", "uploads.max_total_mib", 1, "must be at most 16777216, is 16777217"},
    {"uploads.max_file_gib = 1", "uploads.max_file_gib", 1, "is not an option", "did you mean max_file_mib?"},
    {"http.tcp.hosts = [\"http://gpu.example.org\"]", "http.tcp.hosts", 1, "must hold names such as \"gpu.example.org\"",
     "leave out the scheme and the port"},
    {"http.tcp.hosts = [\"gpu.example.org:80\"]", "http.tcp.hosts", 1, "holds \"gpu.example.org:80\""},
    {"http.tcp.hosts = [\"\"]", "http.tcp.hosts", 1, "must hold names"},
    // nodes
    {FILES "join = \"head\"", "node.join", 5, "must be a host and a port, is \"head\"", "head.example:7879"},
    {FILES "join = \":7879\"", "node.join", 5, "must be a host and a port"},
    {FILES "join = \"head:\"", "node.join", 5, "must end in a port from 1 to 65535"},
    {FILES "join = \"head:0\"", "node.join", 5, "must end in a port from 1 to 65535"},
    {FILES "join = \"head:65536\"", "node.join", 5, "must end in a port from 1 to 65535"},
    {FILES "join = \"head:-1\"", "node.join", 5, "must end in a port from 1 to 65535"},
    {FILES "join = \"head:+1\"", "node.join", 5, "must end in a port from 1 to 65535"},
    {FILES "join = \"head:7879 \"", "node.join", 5, "must end in a port from 1 to 65535"},
    {FILES "join = \"head:7879/x\"", "node.join", 5, "must end in a port from 1 to 65535"},
    {FILES "listen = \"127.0.0.1:1\"\njoin = \"head:7879\"", "node.join", 6, "cannot be set beside node.listen", "remove one"},
    {FILES "listen = \"7879\"", "node.listen", 5, "must be host:port", "0.0.0.0:7879"},
    {FILES "listen = \"head.example:7879\"", "node.listen", 5, "must have a numeric address"},
    {FILES "listen = \"127.0.0.1:1\"\nlease = \"4s\"", "node.lease", 6, "must be longer than node.heartbeat and node.silent_after"},
    {FILES "join = \"head:1\"\nlease = \"4s\"", "node.lease", 6, "4000 ms; it is 4000 ms"},
    {FILES "join = \"head:1\"\nsilent_after = \"60s\"", "node.lease", 0, "61000 ms; it is 60000 ms"},
    {"node.lease = \"999ms\"", "node.lease", 1, "at least 1s and at most 7d"},
    {"node.lease = \"8d\"", "node.lease", 1, "at least 1s and at most 7d"},
    {"node.heartbeat = \"9ms\"", "node.heartbeat", 1, "at least 10ms"},
    {"node.heartbeat = \"2m\"", "node.heartbeat", 1, "at most 1m"},
    {"node.silent_after = \"99ms\"", "node.silent_after", 1, "at least 100ms"},
    {"[node]\njoin = \"head:1\"\nkey = \"k\"\nca = \"a\"", "node.certificate", 2, "is missing: with node.join",
     "ferry certs issue"},
    {"[node]\njoin = \"head:1\"\ncertificate = \"c\"\nca = \"a\"", "node.key", 2, "is missing: with node.join"},
    {"[node]\nlisten = \"127.0.0.1:1\"\ncertificate = \"c\"\nkey = \"k\"", "node.ca", 2, "is missing: with node.listen"},
    {"node.nam = \"x\"", "node.nam", 1, "is not an option", "did you mean name?"},
    // Slurm
    {"devices.slurm.slots = 0", "devices.slurm.slots", 1, "must be at least 1, is 0"},
    {"devices.slurm.memory_mib = 65537", "devices.slurm.memory_mib", 1, "must be at most 65536, is 65537"},
    {"devices.slurm.poll = \"50ms\"", "devices.slurm.poll", 1, "at least 100ms"},
    {"devices.slurm.time_limit = \"500ms\"", "devices.slurm.time_limit", 1, ""},
    {"devices.slurm.partition = \"a b\"", "devices.slurm.partition", 1, "must be one word, is \"a b\""},
    {"devices.slurm.gres = \"gpu:1\\n\"", "devices.slurm.gres", 1, "must be one word"},
    {"devices.slurm.extra = [\"vision\"]", "devices.slurm.extra", 1, "must hold options in one word each, holds \"vision\"",
     "--account=vision"},
    {"devices.slurm.extra = [\"--requeue\"]", "devices.slurm.extra", 1, "holds --requeue, which ferry sets itself"},
    {"devices.slurm.extra = [\"--array=1-4\"]", "devices.slurm.extra", 1, "holds --array, which ferry sets itself"},
    {"devices.slurm.job_types = [\"draw\"]", "devices.slurm.job_types", 1, "names \"draw\", which is no job type"},
    {"devices.slurm.job_types = [\"draw\"]\n[job_types.draw]\nrunner = \"worker\"\ncommand = [\"draw\"]", "devices.slurm.job_types",
     1, "names draw, which runs on workers"},
    {FILES "join = \"head:1\"\n[devices.slurm]\npartition = \"gpu\"", "devices.slurm.partition", 7,
     "cannot be set beside node.join", "set it on the head"},
};

// TOML that does not parse: the problem has no key.
const bad_input broken_inputs[] = {
    {"[storage", "", 1, "column"},
    {"[storage]\ndata_dir = \"open", "", 2, "column"},
    {"a = 1\na = 2", "", 2, "column"},
    {"[a]\n[b]\n[a]", "", 3, "column"},
    {"= 1", "", 1, "column"},
    {"a = ", "", 1, "column"},
    {"a = 0x", "", 1, "column"},
    {"a = 99999999999999999999", "", 1, "column"},
    {"\n\n\xff\xfe", "", 2, "invalid utf-8"},
    {"a = {b = 1\n}", "", 1, "column"},
};

} // namespace

TEST_CASE("each bad option is refused with file, line, key, value and bound") {
  const plain_environment plain;
  for (const auto& [toml, where, line, what, hint] : bad_inputs) {
    CAPTURE(toml);
    const auto parsed = parse(toml, "/etc/ferry.toml");
    REQUIRE_FALSE(parsed);
    INFO(to_string(parsed.error()));
    CHECK(parsed.error().code == error_code::invalid_argument);
    REQUIRE(parsed.error().problems.size() == 1);
    const problem& p = parsed.error().problems.front();
    CHECK(p.where == where);
    CHECK(p.file == "/etc/ferry.toml");
    CHECK(p.line == line);
    CHECK(p.what.find(what) != std::string::npos);
    CHECK(p.hint.find(hint) != std::string::npos);
  }
}

TEST_CASE("broken TOML is refused with line and column") {
  for (const auto& [toml, where, line, what, hint] : broken_inputs) {
    CAPTURE(toml, hint);
    const auto parsed = parse(toml, "/etc/ferry.toml");
    REQUIRE_FALSE(parsed);
    INFO(to_string(parsed.error()));
    REQUIRE(parsed.error().problems.size() == 1);
    const problem& p = parsed.error().problems.front();
    CHECK(p.where == where);
    CHECK(p.line >= line); // where an open construct is noticed is the parser's choice
    CHECK(p.line <= line + 1);
    CHECK(p.what.find(what) != std::string::npos);
  }
}

TEST_CASE("all problems are reported at once, in the order of the file") {
  const plain_environment plain;
  const auto parsed = parse("[storage]\ndurability = \"none\"\n[devices.cpu]\nslots = 999\nthread = 3\n[log]\nlevel = 5\n"
                            "[job_types.Bad]\n[job_types.good]\nslots = 0\ncommand = [\"{nope}\"]\n",
                            "f.toml");
  REQUIRE_FALSE(parsed);
  INFO(to_string(parsed.error()));
  std::vector<int> lines;
  for (const problem& p : parsed.error().problems)
    lines.push_back(p.line);
  CHECK(lines == std::vector<int>{2, 4, 5, 7, 8, 10, 11});
  CHECK(parsed.error().what == "the configuration has 7 problems");
}

TEST_CASE("thousands of problems are counted, not listed") {
  std::string toml;
  for (int i = 0; i < 5000; ++i)
    toml += "wrong" + std::to_string(i) + " = 1\n";
  const auto parsed = parse(toml, "f.toml");
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().problems.size() == limits::problems_max + 1);
  CHECK(parsed.error().problems.back().what == "and 4900 more problems");
}

TEST_CASE("a NUL byte is named with its line") {
  using namespace std::string_literals;
  const auto parsed = parse("[storage]\n\n# \0 here"s, "f.toml");
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().problems.front().line == 3);
  CHECK(parsed.error().problems.front().what == "holds a NUL byte");
}

TEST_CASE("a socket path that the system cannot hold is refused, configured or not") {
  const plain_environment plain;
  const std::string fits = "/" + std::string(limits::socket_path_bytes_max - 1, 's');
  CHECK(parse("http.socket = \"" + fits + "\"", "f.toml"));
  auto parsed = parse("\nhttp.socket = \"" + fits + "s\"", "f.toml");
  REQUIRE_FALSE(parsed);
  CHECK(find_problem(parsed.error(), "http.socket")->line == 2);
  CHECK(find_problem(parsed.error(), "http.socket")->what.find("at most 107 bytes, has 108") != std::string::npos);
  parsed = parse("storage.data_dir = \"/" + std::string(120, 'd') + "\"", "f.toml");
  REQUIRE_FALSE(parsed);
  CHECK(find_problem(parsed.error(), "http.socket")->hint.find("set http.socket") != std::string::npos);
}

TEST_CASE("good options are read") {
  const plain_environment plain;
  const auto parsed = parse(R"(
[storage]
data_dir = "/srv/ferry"
durability = "normal"
check_at_start = true
[http]
socket = "/run/ferry.sock"
[http.tcp]
listen = "localhost:7878"
token_file = "/etc/ferry/token"
[devices.cpu]
slots = 3
memory_mib = 4096
threads = 12
[devices.gpu]
enabled = false
slots = 2
memory_reserve_mib = 0
nvml_library = "libnvml.so"
[runs]
shims_ready = 0
[log]
level = "debug"
file = "/var/log/ferry.log"
)",
                            "/etc/ferry.toml");
  INFO((parsed ? "" : to_string(parsed.error())));
  REQUIRE(parsed);
  CHECK(parsed->storage.data_dir == "/srv/ferry");
  CHECK(parsed->storage.durability == durability::normal);
  CHECK(parsed->storage.check_at_start);
  CHECK(parsed->http.socket == "/run/ferry.sock");
  CHECK(parsed->http.tcp.listen == "127.0.0.1:7878");
  CHECK(parsed->http.tcp.token_file == "/etc/ferry/token");
  CHECK(parsed->devices.cpu.slots == 3);
  CHECK(parsed->devices.cpu.memory_mib == 4096);
  CHECK(parsed->devices.cpu.threads == 12);
  CHECK_FALSE(parsed->devices.gpu.enabled);
  CHECK(parsed->devices.gpu.slots == 2);
  CHECK(parsed->devices.gpu.memory_reserve_mib == 0);
  CHECK(parsed->devices.gpu.nvml_library == "libnvml.so");
  CHECK(parsed->runs.shims_ready == 0);
  CHECK(parsed->log.level == "debug");
  CHECK(parsed->log.file == "/var/log/ferry.log");
  for (const char* listen : {"127.0.0.1:1", "127.1.2.3:65535", "[::1]:7878"})
    CHECK(parse(std::string("http.tcp.listen = \"") + listen + "\"", "f.toml")->http.tcp.listen == listen);
  CHECK(parse("", "f.toml")->http.tcp.listen == "auto");
  for (const char* listen : {"0.0.0.0:7878", "192.168.1.5:7878", "[::]:7878"}) // with TLS, also off loopback
    CHECK(parse(std::string("http.tcp = { certificate = \"c.pem\", key = \"k.pem\", listen = \"") + listen + "\" }", "/etc/f.toml")
              ->http.tcp.listen == listen);
  CHECK(parse("http.tcp.listen = \"\"", "f.toml")->http.tcp.listen.empty());
  CHECK(parse("http.tcp.hosts = [\"GPU.Example.org\"]", "f.toml")->http.tcp.hosts == std::vector<std::string>{"gpu.example.org"});
}

TEST_CASE("a node joins a head by name or address, is called as its host unless it is told otherwise, and may have larger jobs") {
  const plain_environment plain;
  const auto node = [](const std::string& more) {
    auto parsed = parse(FILES + more, "/etc/ferry.toml");
    INFO((parsed ? "" : to_string(parsed.error())));
    REQUIRE(parsed);
    return *parsed;
  };
  const settings by_name = node("join = \"head.example:7879\"\n");
  CHECK(by_name.node.is_member());
  CHECK_FALSE(by_name.node.is_on());
  CHECK(by_name.node.head_host() == "head.example");
  CHECK(by_name.node.head_port() == 7879);
  char host[300] = {};
  REQUIRE(::gethostname(host, sizeof host - 1) == 0);
  CHECK(by_name.node.name == host);
  CHECK(by_name.node.lease == std::chrono::seconds(60));
  CHECK(by_name.node.heartbeat + by_name.node.silent_after < by_name.node.lease);
  CHECK(node("name = \"alpha\"\njoin = \"10.0.0.1:1\"\n").node.name == "alpha");
  CHECK(node("join = \"[fd00::5]:65535\"\n").node.head_host() == "fd00::5");
  CHECK(node("join = \"[fd00::5]:65535\"\n").node.head_port() == 65535);
  const settings head = node("listen = \"0.0.0.0:7879\"\nheartbeat = \"10ms\"\nsilent_after = \"100ms\"\nlease = \"1s\"\n");
  CHECK(head.node.is_on());
  CHECK_FALSE(head.node.is_member());
  CHECK(head.node.lease == std::chrono::seconds(1));
  CHECK(parse("", "/etc/ferry.toml")->node.name == host); // neither head nor node
}

TEST_CASE("a file that cannot be read says so") {
  const scoped_folder folder;
  const auto missing = load(folder.path() / "missing.toml");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == error_code::not_found);
  CHECK(missing.error().what.find("missing.toml") != std::string::npos);
  const auto directory = load(folder.path());
  REQUIRE_FALSE(directory);
  CHECK(directory.error().code == error_code::io);
  CHECK(directory.error().what.find("directory") != std::string::npos);
  const auto below = load(folder.write("file", "") / "ferry.toml");
  REQUIRE_FALSE(below);
  CHECK(below.error().code == error_code::io);
  REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
  CHECK(load(folder.path() / "pipe")); // nobody writes: empty, and no hanging
  const auto large = load(folder.write("large.toml", std::string(limits::config_file_bytes_max + 1, '#')));
  REQUIRE_FALSE(large);
  CHECK(large.error().code == error_code::too_large);
  CHECK(large.error().what.find("4194304") != std::string::npos);
  CHECK(load(folder.write("full.toml", std::string(limits::config_file_bytes_max, '#'))));
}
