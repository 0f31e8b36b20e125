// A node as the API tells of it.
#include "http/views.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::http;

TEST_CASE("a node is told with its devices as the node names them, and what it was given") {
  const actors::node_view node{.name = "alpha",
                               .version = "0.1.0",
                               .address = "192.0.2.7",
                               .devices = {{.id = "GPU-a",
                                            .kind = device_kind::gpu,
                                            .name = "NVIDIA H100",
                                            .slots = 2,
                                            .memory_mib = 81920,
                                            .threads = 8,
                                            .labels = {{"node", "alpha"}}}},
                               .is_connected = true,
                               .is_drained = true,
                               .trouble = "node alpha is drained",
                               .heard = from_unix_ms(1'769'860'800'250),
                               .lease_ends = from_unix_ms(1'769'860'860'250),
                               .runs = {{7}, {8}}};
  CHECK(node_json(node) == json{{"name", "alpha"},
                                {"version", "0.1.0"},
                                {"address", "192.0.2.7"},
                                {"connected", true},
                                {"drained", true},
                                {"trouble", "node alpha is drained"},
                                {"heard", "2026-01-31T12:00:00.250Z"},
                                {"lease_ends", "2026-01-31T12:01:00.250Z"},
                                {"devices",
                                 {{{"id", "GPU-a"},
                                   {"kind", "gpu"},
                                   {"name", "NVIDIA H100"},
                                   {"slots", 2},
                                   {"memory_mib", 81920},
                                   {"labels", {{"node", "alpha"}}}}}},
                                {"runs", {7, 8}}});
}

TEST_CASE("of a node that is not heard of nothing is guessed") {
  const json told = node_json({.name = "alpha", .version = "", .address = "", .devices = {}, .trouble = "", .runs = {}});
  CHECK(told["connected"] == false);
  CHECK(told["trouble"] == nullptr);
  CHECK(told["heard"] == nullptr);
  CHECK(told["lease_ends"] == nullptr);
  CHECK(told["devices"] == json::array());
  CHECK(told["runs"] == json::array());
}
