#include "model/device_selector.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;

namespace {

const device host{.id = "cpu", .name = "AMD EPYC", .labels = {{"node", "head"}, {"room", "lab"}}};
const device far{
    .id = "alpha:GPU-1", .kind = device_kind::gpu, .name = "NVIDIA H100 80GB HBM3 of alpha", .labels = {{"node", "alpha"}}};

} // namespace

TEST_CASE("a selector accepts the devices that have all that it names") {
  CHECK(device_selector{}.accepts(host));
  CHECK(device_selector{{{"room", "lab"}}}.accepts(host));
  CHECK(device_selector{{{"room", "lab"}, {"node", "head"}}}.accepts(host));
  CHECK_FALSE(device_selector{{{"room", "lab"}, {"node", "alpha"}}}.accepts(host));
  CHECK_FALSE(device_selector{{{"room", "la"}}}.accepts(host));
  CHECK_FALSE(device_selector{{{"room", "lab"}}}.accepts(far));
}

TEST_CASE("a GPU is named by a part of its name, whatever the case, or by its id") {
  CHECK(device_selector{{{"gpu", "h100"}}}.accepts(far));
  CHECK(device_selector{{{"gpu", "GPU-1"}}}.accepts(far));
  CHECK_FALSE(device_selector{{{"gpu", "a100"}}}.accepts(far));
  CHECK_FALSE(device_selector{{{"gpu", "epyc"}}}.accepts(host)); // which is none
  CHECK(device_selector{{{"device", "alpha:GPU-1"}}}.accepts(far));
  CHECK_FALSE(device_selector{{{"device", "GPU-1"}}}.accepts(far));
}

TEST_CASE("a selector comes back as it was stored") {
  const device_selector selector{{{"gpu", "h100"}, {"node", "alpha"}}};
  CHECK(device_selector_from(to_json(selector)) == selector);
  CHECK(to_string(selector) == "gpu=h100, node=alpha");
  CHECK(device_selector_from("gpu=h100").is_empty());
}

TEST_CASE("labels have names that can be typed") {
  for (const char* name : {"room", "gpu2", "has-nvlink", "vram_gib"})
    CHECK(is_label_name(name));
  for (const char* name : {"", "Room", "2nd", "a b", "a=b", "ä"})
    CHECK_FALSE(is_label_name(name));
  CHECK(is_reserved_label("node"));
  CHECK_FALSE(is_reserved_label("room"));
}
