// A head that nodes lend their devices to, for tests. The job types "far" and "reader" need more memory than the head has.
#pragma once

#include "tests/integration/node_process.hpp"

#include <string>
#include <vector>

namespace ferry::tests {

inline const std::string far_type = R"([job_types.far]
command = ["sh", "-c", "{params.script}"]
device = "cpu"
memory_mib = 2000
grace = "1s"
retry.lost = 3
retry.delay = "10ms"
retry.delay_max = "10ms"
checkpoint_files = "checkpoint-*"
[job_types.far.parameters]
required = ["script"]
properties.script = { type = "string" }
[job_types.reader]
command = ["sh", "-c", "echo $0; find $0 -type f | sort | xargs cat", "{params.source}"]
device = "cpu"
memory_mib = 2000
[job_types.reader.parameters]
required = ["source"]
properties.source = { type = "string", format = "job-result" }
)";

struct head_with_nodes {
  // `node` are lines of [node], `types` declare job types beside "far".
  explicit head_with_nodes(const std::string& node = {}, const std::string& types = {})
      : port(free_port()), head(known.node_options(port) + node + far_type + types, 1) {
    head.start();
  }

  json node(const std::string& name) {
    const json list = head.get("/nodes");
    for (const json& one : list["nodes"])
      if (one["name"] == name)
        return one;
    return nullptr;
  }
  void wait_for(const std::string& name) {
    eventually([&] {
      const json one = node(name);
      return one.is_object() && one["connected"] == true;
    });
  }
  std::int64_t submit(const std::string& script, json fields = json::object()) {
    fields.update({{"type", "far"}, {"params", {{"script", script}}}});
    return head.post("/jobs", fields).at("id");
  }
  json job(std::int64_t id) { return head.get("/jobs/" + std::to_string(id)); }
  std::int64_t running(std::int64_t id) { // its batch
    eventually([&] { return job(id)["status"] == "running"; });
    return job(id)["batch"];
  }

  certificates known;
  int port;
  daemon_process head;
  scratch_directory scratch;
};

// A script that writes down when it ran: a line when it begins, and one in every 50 ms until there is a file of that name with .go.
[[nodiscard]] std::string diary(const std::filesystem::path& file, const std::string& then = "exit 0");

struct execution {
  std::string process;
  double first = 0, last = 0; // seconds since the boot
};
[[nodiscard]] std::vector<execution> executions_in(const std::filesystem::path& file);
void do_not_overlap(std::vector<execution> all);

} // namespace ferry::tests
