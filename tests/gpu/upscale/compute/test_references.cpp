// The CPU engine against TensorFlow.js: see tests/gpu/upscale/fixtures/README.md.
#include "gpu/upscale/compute/cpu/cpu_engine.hpp"
#include "tests/gpu/upscale/references.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;

namespace {

// A grey level is what is promised; 1/64 of it is how exact the references are, and what is measured beyond that stays below 0.002.
constexpr float allowed = 1.0F / 64.0F + 0.005F;

void check_all_sets(const std::filesystem::path& folder, const std::string& name, int scale) {
  const auto model = load_network(folder, name, scale);
  INFO((model ? "" : to_string(model.error())));
  REQUIRE(model);
  for (const auto set : {instruction_set::portable, instruction_set::avx2, instruction_set::avx512}) {
    if (set > best_instruction_set())
      continue;
    const auto by = make_cpu_engine(*model, {2, set});
    REQUIRE(by);
    for (const std::string picture : {"photo", "edges"}) {
      const pixels part = reference_input(picture, scale);
      const tile input{part.width, part.height, part.rgb};
      tile output;
      REQUIRE((*by)->enlarge({&input, 1}, {&output, 1}, {}));
      INFO(name << " ×" << scale << ", " << picture << ", " << (*by)->description());
      CHECK(furthest(output.rgb, reference_output(name, scale, picture)) < allowed);
    }
  }
}

} // namespace

TEST_CASE("small models come out as TensorFlow.js computes them") {
  check_all_sets(fixtures() / "tiny_rdn", "tiny_rdn", 3);
  check_all_sets(fixtures() / "tiny_rrdn", "tiny_rrdn", 2);
}

TEST_CASE("slim, medium and thick come out as TensorFlow.js computes them") {
  const auto [name, scale] = GENERATE(table<std::string, int>(
      {{"slim", 2}, {"slim", 3}, {"slim", 4}, {"slim", 8}, {"medium", 2}, {"medium", 4}, {"thick", 2}, {"thick", 4}}));
  const auto folder = find_network(name, scale, {});
  if (!folder)
    SKIP(to_string(folder.error()));
  check_all_sets(*folder, name, scale);
}
