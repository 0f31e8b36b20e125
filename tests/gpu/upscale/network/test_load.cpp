#include "gpu/upscale/network/load.hpp"
#include "tests/gpu/upscale/references.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;

namespace {

network loaded(const std::filesystem::path& folder, const std::string& name, int scale) {
  auto model = load_network(folder, name, scale);
  INFO((model ? "" : to_string(model.error())));
  REQUIRE(model);
  return std::move(*model);
}

void check_against_tensorflow(const network& model, const std::string& name) {
  for (const std::string picture : {"photo", "edges"}) {
    INFO(name << " ×" << model.scale << ", " << picture);
    CHECK(furthest(plain_evaluation::of(model, reference_input(picture, model.scale)),
                   reference_output(name, model.scale, picture)) < 0.05F);
  }
}

} // namespace

TEST_CASE("a model of residual dense blocks, enlarged by nearest neighbour, is lowered to what TensorFlow.js computes") {
  const network model = loaded(fixtures() / "tiny_rdn", "tiny", 3);
  CHECK(model.name == "tiny");
  CHECK(model.scale == 3);
  CHECK(model.input_gain == 1.0F);
  CHECK(model.steps.back().kernel == 3);
  CHECK(model.values[static_cast<std::size_t>(model.steps.back().output)].channels == 27);
  check_against_tensorflow(model, "tiny_rdn");
}

TEST_CASE("a model of residual in residual blocks, enlarged by depth-to-space, is lowered to what TensorFlow.js computes") {
  const network model = loaded(fixtures() / "tiny_rrdn", "tiny", 2);
  CHECK(model.input_gain == 1.0F / 255.0F);
  CHECK(model.output_gain == 255.0F);
  check_against_tensorflow(model, "tiny_rrdn");
}

TEST_CASE("additions and factors leave no steps of their own, and each step reads what was made before it") {
  const network model = loaded(fixtures() / "tiny_rrdn", "tiny", 2);
  CHECK(model.steps.size() == 16); // the model's 16 convolutions
  std::vector<bool> made(model.values.size(), false);
  made[0] = true;
  for (const convolution& step : model.steps) {
    INFO(step.name);
    for (const int source : step.sources)
      CHECK(made[static_cast<std::size_t>(source)]);
    CHECK(step.residuals.size() <= 2);
    for (const auto& residual : step.residuals) {
      CHECK(made[static_cast<std::size_t>(residual.of)]);
      CHECK(model.values[static_cast<std::size_t>(residual.of)].channels ==
            model.values[static_cast<std::size_t>(step.output)].channels);
    }
    CHECK_FALSE(made[static_cast<std::size_t>(step.output)]);
    made[static_cast<std::size_t>(step.output)] = true;
    CHECK(step.weights.size() == static_cast<std::size_t>(step.kernel * step.kernel * model.input_channels(step) *
                                                          model.values[static_cast<std::size_t>(step.output)].channels));
  }
}

TEST_CASE("reach and multiplications are those of the longest way and of all steps") {
  network model;
  model.values = {{3}, {4}, {5}, {12}};
  model.steps = {{.name = "a", .sources = {0}, .output = 1, .kernel = 5},
                 {.name = "b", .sources = {0}, .output = 2, .kernel = 1},
                 {.name = "c", .sources = {1, 2}, .output = 3, .kernel = 3}};
  CHECK(model.reach_pixels() == 3);
  CHECK(model.multiplications_per_pixel() == 25 * 3 * 4 + 3 * 5 + 9 * 9 * 12);
}

TEST_CASE("the networks of the npm packages are lowered to what TensorFlow.js computes") {
  const auto [name, scale] =
      GENERATE(table<std::string, int>({{"slim", 2}, {"slim", 3}, {"slim", 4}, {"slim", 8}, {"medium", 2}, {"medium", 4}}));
  const auto folder = find_network(name, scale, {});
  if (!folder)
    SKIP(to_string(folder.error()));
  check_against_tensorflow(loaded(*folder, name, scale), name);
}

TEST_CASE("every network of the npm packages can be read") {
  const std::string name = GENERATE("slim", "medium", "thick");
  const int scale = GENERATE(2, 3, 4, 8);
  const auto folder = find_network(name, scale, {});
  if (!folder)
    SKIP(to_string(folder.error()));
  const network model = loaded(*folder, name, scale);
  CHECK(model.scale == scale);
  CHECK(model.reach_pixels() == (name == "slim" ? 10 : name == "medium" ? 18 : 154));
}
