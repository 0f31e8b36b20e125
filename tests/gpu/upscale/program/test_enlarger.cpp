// Memory that runs out: smaller tiles before giving up. The engine is one whose memory can be made to run out at will.
#include "gpu/upscale/image/blend.hpp"
#include "gpu/upscale/program/enlarger.hpp"
#include "tests/gpu/upscale/image/made_pictures.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::test;

namespace {

constexpr std::uint64_t bytes_a_pixel = 1'000;

// Repeats each pixel, and has room for tiles of so many pixels in all, whatever it said before.
class tight_engine : public engine {
public:
  explicit tight_engine(std::uint64_t pixels_max) : pixels_max_(pixels_max) {
    model_.name = "tight";
    model_.scale = 2;
    model_.values = {{3}, {12}};
    convolution step;
    step.name = "only";
    step.sources = {0};
    step.output = 1;
    step.kernel = 5; // so that there is an overlap, and large tiles are better
    step.weights.assign(25 * 36, 0);
    step.bias.assign(12, 0);
    model_.steps = {step};
  }
  [[nodiscard]] std::string description() const override { return "tight"; }
  [[nodiscard]] const network& model() const override { return model_; }
  [[nodiscard]] std::uint64_t memory_bytes(int width, int height, int at_once) const override {
    return static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height) * static_cast<std::uint64_t>(at_once) *
           bytes_a_pixel;
  }
  [[nodiscard]] result<void> enlarge(std::span<const tile> inputs, std::span<tile> outputs,
                                     const std::function<bool(std::size_t)>& on_tile) override {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const tile& from = inputs[i];
      if (static_cast<std::uint64_t>(from.width) * static_cast<std::uint64_t>(from.height) > pixels_max_) {
        ++refusals;
        return fail(error_code::out_of_memory, "no room for " + std::to_string(from.width) + "x" + std::to_string(from.height));
      }
      tile& to = outputs[i];
      to = {from.width * 2, from.height * 2, std::vector<float>(from.rgb.size() * 4)};
      for (int y = 0; y < to.height; ++y)
        for (int x = 0; x < to.width; ++x)
          std::copy_n(from.rgb.begin() + (y / 2 * from.width + x / 2) * 3, 3, to.rgb.begin() + (y * to.width + x) * 3);
      ++tiles;
      if (!on_tile(i))
        return fail(error_code::unavailable, "stopped");
    }
    return {};
  }
  int refusals = 0, tiles = 0;

private:
  std::uint64_t pixels_max_;
  network model_;
};

picture repeated(const picture& source) {
  picture made{source.width * 2, source.height * 2, source.channels, source.bits, {}, {}};
  for (int y = 0; y < made.height; ++y)
    for (int x = 0; x < made.width; ++x)
      for (int c = 0; c < made.channels; ++c)
        made.samples.push_back(source.samples[static_cast<std::size_t>((y / 2 * source.width + x / 2) * source.channels + c)]);
  return made;
}

const tile_progress go_on = [](int, int) { return true; };

} // namespace

TEST_CASE("an engine that runs out of memory is asked for smaller tiles, and the next picture begins with those") {
  tight_engine engine(100 * 100);
  enlarger with({&engine, false}, 2, 1, {});
  const picture source = noise(300, 200, 3, 8);
  const auto made = with.enlarge(source, go_on);
  REQUIRE(made);
  CHECK(made->samples == repeated(source).samples);
  CHECK(engine.refusals > 0);
  CHECK(engine.tiles > 1);
  const int refusals = engine.refusals;
  REQUIRE(with.enlarge(source, go_on));
  CHECK(engine.refusals == refusals);
}

TEST_CASE("where not even the smallest tile fits, the error is out of memory") {
  tight_engine engine(1);
  enlarger with({&engine, false}, 2, 1, {});
  const auto refused = with.enlarge(noise(300, 200, 3, 8), go_on);
  REQUIRE(!refused);
  CHECK(refused.error().code == error_code::out_of_memory);
}

TEST_CASE("memory that cannot hold the pictures themselves is refused before the work, with what it takes") {
  tight_engine engine(1'000'000);
  enlarger with({&engine, false}, 2, 1, 10 * 1024 * 1024);
  const auto refused = with.enlarge(noise(500, 500, 3, 8), go_on);
  REQUIRE(!refused);
  CHECK(refused.error().code == error_code::out_of_memory);
  CHECK(refused.error().what.find("10 MiB") != std::string::npos);
  CHECK(engine.tiles == 0);
}

TEST_CASE("frames together give what each gives alone, also where they do not fit together") {
  const std::vector<picture> frames{noise(60, 40, 3, 8), pattern(60, 40, 3, 8), noise(60, 40, 3, 8)};
  for (const std::uint64_t room : {1'000'000, 50 * 50}) {
    tight_engine engine(room);
    enlarger with({&engine, true}, 2, 1, {});
    const auto made = with.enlarge_together(frames, [] { return true; });
    REQUIRE(made);
    REQUIRE(made->size() == 3);
    for (std::size_t i = 0; i < 3; ++i)
      CHECK((*made)[i].samples == repeated(frames[i]).samples);
  }
}

TEST_CASE("work stops when it is told to") {
  tight_engine engine(50 * 50);
  enlarger with({&engine, false}, 2, 1, {});
  int calls = 0;
  const auto stopped =
      with.enlarge(noise(300, 200, 3, 8), [&calls](int done, int) { return calls += done > 0 ? 1 : 0, calls < 2; });
  REQUIRE(!stopped);
  CHECK(stopped.error().code == error_code::unavailable);
  CHECK(engine.tiles < 20);
  enlarger lanczos({}, 2, 0, {});
  CHECK(!lanczos.enlarge(noise(30, 20, 3, 8), [](int, int) { return false; }));
}

TEST_CASE("without an engine the result is Lanczos") {
  const picture source = noise(21, 14, 4, 16);
  enlarger with({}, 3, 0, {});
  const auto made = with.enlarge(source, go_on);
  REQUIRE(made);
  CHECK(made->samples == blend(source, 3, 0, {}).samples);
}
