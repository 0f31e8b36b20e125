// Where there is no device, or no CUDA at all, the program starts and says why it cannot use one.
#include "gpu/upscale/compute/cuda/cuda_engine.hpp"
#include "tests/gpu/upscale/cuda/host_run.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::upscale;

TEST_CASE("without a device that can be used, the reason is given and no engine is made") {
  const auto count = cuda_device_count();
  if (count)
    SKIP("there are " << *count << " devices");
  CHECK(count.error().code == error_code::unavailable);
  CHECK_FALSE(count.error().hint.empty());
  CHECK((count.error().what.find("built without CUDA") != std::string::npos) == !has_cuda());
  const auto made = make_cuda_engine(cuda::make_network(1, {{{0}, 3, 3}}, 1, false), {});
  REQUIRE_FALSE(made);
  CHECK(made.error().code == error_code::unavailable);
  CHECK(made.error().what == count.error().what);
}
