// One line of JSON: how long ferry's CPU engine takes for a picture.
//   bench-upscale MODEL_FOLDER NAME SCALE SIZE THREADS RUNS INPUT OUTPUT [portable|avx2|avx512]
// INPUT: SIZE × SIZE × 3 float32 as the network takes them, interleaved; OUTPUT: the same, enlarged (for a check).
#include "gpu/upscale/compute/cpu/cpu_engine.hpp"
#include "gpu/upscale/network/load.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <optional>
#include <string>

using namespace ferry;
using namespace ferry::upscale;

namespace {

using stopwatch = std::chrono::steady_clock;

double ms_since(stopwatch::time_point start) { return std::chrono::duration<double, std::milli>(stopwatch::now() - start).count(); }

// Of all threads: what a busy machine disturbs least.
double cpu_ms() { return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

int complain(const error& e) {
  std::fprintf(stderr, "error: %s\n", to_string(e).c_str());
  return 1;
}

std::optional<instruction_set> set_named(const std::string& name) {
  if (name == "portable")
    return instruction_set::portable;
  if (name == "avx2")
    return instruction_set::avx2;
  if (name == "avx512")
    return instruction_set::avx512;
  return {};
}

} // namespace

int main(int count, char** words) {
  if (count < 9) {
    std::fprintf(stderr, "usage: %s MODEL_FOLDER NAME SCALE SIZE THREADS RUNS INPUT OUTPUT [INSTRUCTIONS]\n", words[0]);
    return 2;
  }
  const int size = std::stoi(words[4]);
  const auto start = stopwatch::now();
  auto model = load_network(words[1], words[2], std::stoi(words[3]));
  if (!model)
    return complain(model.error());
  // Pictures go in as the network takes them, so that peers get the same.
  model->input_gain = 1;
  model->output_gain = 1;
  const double multiplications = model->multiplications_per_pixel() * size * size;
  const double load_ms = ms_since(start);
  auto by = make_cpu_engine(std::move(*model), {std::stoi(words[5]), count > 9 ? set_named(words[9]) : std::nullopt});
  if (!by)
    return complain(by.error());
  const double ready_ms = ms_since(start);
  tile input{size, size, std::vector<float>(static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3)};
  std::ifstream(words[7], std::ios::binary)
      .read(reinterpret_cast<char*>(input.rgb.data()), static_cast<std::streamsize>(input.rgb.size() * sizeof(float)));
  tile output;
  double best_ms = 1e300;
  double best_cpu_ms = 1e300;
  double first_ms = 0;
  const int runs = std::stoi(words[6]);
  for (int run = 0; run < runs; ++run) {
    const auto from = stopwatch::now();
    const double cpu_from = cpu_ms();
    if (const auto done = (*by)->enlarge({&input, 1}, {&output, 1}, {}); !done)
      return complain(done.error());
    const double ms = ms_since(from);
    first_ms = run == 0 ? ms : first_ms;
    best_ms = std::min(best_ms, ms);
    best_cpu_ms = std::min(best_cpu_ms, cpu_ms() - cpu_from);
  }
  std::ofstream(words[8], std::ios::binary)
      .write(reinterpret_cast<const char*>(output.rgb.data()), static_cast<std::streamsize>(output.rgb.size() * sizeof(float)));
  std::printf("{\"best_ms\": %.3f, \"cpu_ms\": %.3f, \"first_ms\": %.3f, \"load_ms\": %.3f, \"ready_ms\": %.3f, \"gflop\": %.3f, "
              "\"engine\": \"%s\", "
              "\"runs\": %d}\n",
              best_ms, best_cpu_ms, first_ms, load_ms, ready_ms, 2 * multiplications / 1e9, (*by)->description().c_str(), runs);
  return 0;
}
