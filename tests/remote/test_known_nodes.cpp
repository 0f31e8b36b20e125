#include "config/limits.hpp"
#include "remote/known_nodes.hpp"
#include "tests/support/file_text.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::remote;
using ferry::tests::files_below;
using ferry::tests::scratch_folder;
using ferry::tests::text_of;

namespace {

std::shared_ptr<known_nodes> opened(const scratch_folder& folder) {
  auto nodes = known_nodes::open(folder.path() / "nodes.json");
  INFO((nodes ? std::string() : to_string(nodes.error())));
  REQUIRE(nodes);
  return *nodes;
}

known_node node(const std::string& name) {
  return {.name = name,
          .id = name + "-id",
          .version = "1.2.3",
          .address = "192.0.2.7",
          .devices = {{.id = "cpu",
                       .kind = device_kind::cpu,
                       .name = "8 cores",
                       .slots = 4,
                       .memory_mib = 2'000,
                       .threads = 8,
                       .job_types = std::vector<std::string>{"far", "near"}},
                      {.id = "GPU-1", .kind = device_kind::gpu, .name = "a \"GPU\"\n\xc3\xa4", .memory_mib = 80'000}},
          .joined = from_unix_ms(1'700'000'000'123)};
}

bool put(known_nodes& nodes, const known_node& one) {
  const auto changed = nodes.put(one);
  REQUIRE(changed);
  return *changed;
}

} // namespace

TEST_CASE("nodes are entered, found, drained and removed, and are as they were when the head starts again") {
  const scratch_folder folder;
  std::string head;
  {
    const auto nodes = opened(folder);
    CHECK(nodes->all().empty());
    CHECK_FALSE(nodes->find("alpha"));
    head = nodes->head_id();
    CHECK(head.size() == 32);
    CHECK(put(*nodes, node("beta")));
    CHECK(put(*nodes, node("alpha")));
    CHECK(nodes->find("alpha") == node("alpha"));
    REQUIRE(nodes->set_drained("alpha", true));
  }
  {
    const auto nodes = opened(folder);
    CHECK(nodes->head_id() == head);
    REQUIRE(nodes->all().size() == 2);
    auto expected = node("alpha");
    expected.is_drained = true;
    CHECK(nodes->all()[0] == expected);
    CHECK(nodes->all()[1] == node("beta"));
    REQUIRE(nodes->set_drained("alpha", false));
    REQUIRE(nodes->remove("beta"));
  }
  const auto nodes = opened(folder);
  REQUIRE(nodes->all().size() == 1);
  CHECK(nodes->all()[0] == node("alpha"));
  REQUIRE(nodes->remove("alpha"));
  CHECK(opened(folder)->all().empty());
  CHECK(opened(folder)->head_id() == head);
}

TEST_CASE("what is not known is neither drained nor removed") {
  const scratch_folder folder;
  const auto nodes = opened(folder);
  CHECK(nodes->set_drained("alpha", true).error().code == error_code::not_found);
  CHECK(nodes->remove("alpha").error().code == error_code::not_found);
  REQUIRE(put(*nodes, node("alpha")));
  CHECK(nodes->remove("Alpha").error().code == error_code::not_found);
  CHECK(nodes->all().size() == 1);
}

TEST_CASE("only what schedulers see of a node is news, and a node that joins again stays drained") {
  const scratch_folder folder;
  const auto nodes = opened(folder);
  CHECK(put(*nodes, node("alpha")));
  CHECK_FALSE(put(*nodes, node("alpha")));
  auto other = node("alpha");
  other.version = "2.0.0";
  other.address = "192.0.2.8";
  other.joined += std::chrono::seconds(1);
  CHECK_FALSE(put(*nodes, other));
  CHECK(nodes->find("alpha") == other);
  REQUIRE(nodes->set_drained("alpha", true));
  other.devices[0].slots = 5;
  CHECK(put(*nodes, other));
  CHECK(nodes->find("alpha")->is_drained);
  other.devices[0].job_types->push_back("new");
  CHECK(put(*nodes, other));
  other.devices.pop_back();
  CHECK(put(*nodes, other));
  CHECK(opened(folder)->find("alpha")->devices == other.devices);
}

TEST_CASE("the devices of all nodes are named as the head does") {
  const scratch_folder folder;
  const auto nodes = opened(folder);
  put(*nodes, node("beta"));
  put(*nodes, node("alpha"));
  std::vector<std::string> ids;
  for (const device& d : nodes->devices())
    ids.push_back(d.id);
  CHECK(ids == std::vector<std::string>{"alpha:cpu", "alpha:GPU-1", "beta:cpu", "beta:GPU-1"});
  CHECK(nodes->devices()[0].name == "8 cores of alpha");
  CHECK(nodes->devices()[0].job_types == std::vector<std::string>{"far", "near"});
  CHECK_FALSE(nodes->devices()[1].job_types);
}

TEST_CASE("a head takes as many nodes as the limit says; those that it has may still change") {
  const scratch_folder folder;
  const auto nodes = opened(folder);
  const auto name = [](std::size_t i) { return "node-" + std::to_string(i); };
  for (std::size_t i = 0; i < limits::nodes_max; ++i)
    put(*nodes, node(name(i)));
  const auto refused = nodes->put(node("one-more"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::too_large);
  CHECK_FALSE(nodes->find("one-more"));
  auto changed = node(name(3));
  changed.devices.clear();
  CHECK(put(*nodes, changed));
  REQUIRE(nodes->remove(name(0)));
  CHECK(put(*nodes, node("one-more")));
  CHECK(opened(folder)->all().size() == limits::nodes_max);
}

TEST_CASE("a list that is damaged is not taken for an empty one") {
  const scratch_folder folder;
  const auto file = folder.path() / "nodes.json";
  const std::string texts[] = {"",
                               "{",
                               "null",
                               "[]",
                               "{}",
                               R"({"head":"x"})",
                               R"({"head":7,"nodes":[]})",
                               R"({"head":"x","nodes":7})",
                               R"({"head":"x","nodes":[7]})",
                               R"({"head":"x","nodes":[{"name":"alpha"}]})",
                               R"({"head":"x","nodes":[]} more)",
                               std::string("{\"head\":\"x\0", 10),
                               std::string(1'000, '[')};
  for (const std::string& text : texts) {
    CAPTURE(text);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    const auto nodes = known_nodes::open(file);
    REQUIRE_FALSE(nodes);
    CHECK(nodes.error().code == error_code::damaged);
    CHECK(text_of(file) == text);
  }
}

TEST_CASE("a list that is cut off anywhere is damaged, never shorter") {
  const scratch_folder folder;
  const auto file = folder.path() / "nodes.json";
  put(*opened(folder), node("alpha"));
  const auto whole = text_of(file);
  for (std::size_t size = 0; size + 2 < whole.size(); size += 7) {
    CAPTURE(size);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    REQUIRE_FALSE(known_nodes::open(file));
  }
}

TEST_CASE("a list that cannot be read is an error of the disk") {
  const scratch_folder folder;
  std::filesystem::create_directory(folder.path() / "nodes.json");
  const auto nodes = known_nodes::open(folder.path() / "nodes.json");
  REQUIRE_FALSE(nodes);
  CHECK(nodes.error().code == error_code::io);
}

TEST_CASE("where the list cannot be stored nothing has changed") {
  const scratch_folder folder;
  std::filesystem::create_directory(folder.path() / "data");
  auto nodes = known_nodes::open(folder.path() / "data/nodes.json");
  REQUIRE(nodes);
  put(**nodes, node("alpha"));
  std::filesystem::remove_all(folder.path() / "data");
  CHECK_FALSE((*nodes)->put(node("beta")));
  CHECK_FALSE((*nodes)->set_drained("alpha", true));
  CHECK_FALSE((*nodes)->remove("alpha"));
  REQUIRE((*nodes)->all().size() == 1);
  CHECK((*nodes)->all()[0] == node("alpha"));
}

TEST_CASE("the list is the owner's alone, and nothing is left beside it") {
  const scratch_folder folder;
  put(*opened(folder), node("alpha"));
  struct stat found {};
  REQUIRE(::stat((folder.path() / "nodes.json").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  CHECK(files_below(folder.path()) == 1);
}

TEST_CASE("names of nodes can stand in a URL, in the id of a device and in the name of a file") {
  for (const std::string& name : {std::string("a"), std::string("alpha"), std::string("Lab-7.example.org"), std::string("9_x"),
                                  std::string(limits::node_name_bytes_max, 'n')}) {
    CAPTURE(name);
    CHECK(check_node_name(name));
  }
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("-a"), std::string("_a"),
                                  std::string(".a"), std::string("a:b"), std::string("a/b"), std::string("a b"), std::string("a\n"),
                                  std::string("a\0b", 3), std::string("\xc3\xa4"), std::string("a%2f"),
                                  std::string(limits::node_name_bytes_max + 1, 'n'), std::string(1'000'000, 'n')}) {
    CAPTURE(name);
    const auto checked = check_node_name(name);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == error_code::invalid_argument);
    CHECK(checked.error().what.size() < 400);
  }
}

TEST_CASE("identities are 32 hexadecimal digits, and differ") {
  const auto one = make_identity();
  CHECK(one.size() == 32);
  CHECK(one.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(one != make_identity());
}
