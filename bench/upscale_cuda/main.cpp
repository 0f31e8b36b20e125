// The CUDA upscaler's figures as tables in Markdown: images a second with their shares of the device's floors, beside torch where
// it was measured; time by batch size with the line a + b·n through it; whole calls with copies; precisions; overlapping launches.
#include "bench/upscale_cuda/floors.hpp"
#include "bench/upscale_cuda/peer.hpp"
#include "bench/upscale_cuda/stand_in.hpp"
#include "gpu/upscale/compute/cuda/device_engine.hpp"
#include "gpu/upscale/network/load.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>

using namespace ferry;
using namespace ferry::upscale;
using namespace ferry::upscale::cuda;

namespace {

struct settings {
  std::vector<std::string> networks = {"slim:2", "medium:4", "thick:4"};
  std::vector<int> sides = {128, 256, 512};
  std::vector<int> batches = {1, 2, 4, 8, 16, 32};
  std::string models;
  std::string torch;
  int device = 0;
  int repeats = 15;
};

struct named_network {
  std::string name;
  int scale = 2;
  network model;
};

// Times of one network at one side, by batch, all computed at once.
struct curve {
  std::string name;
  int scale = 2;
  int side = 0;
  std::vector<std::pair<int, double>> ms;
};

[[nodiscard]] std::string number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

[[nodiscard]] std::string or_dash(std::optional<double> value, int digits) { return value ? number(*value, digits) : "–"; }

[[nodiscard]] result<named_network> load(const std::string& wanted, const std::string& models) {
  const auto colon = wanted.find(':');
  named_network made;
  made.name = wanted.substr(0, colon);
  made.scale = colon == std::string::npos ? 2 : std::atoi(wanted.c_str() + colon + 1);
  const auto folder = find_network(made.name, made.scale, models);
  auto model = folder ? load_network(*folder, made.name, made.scale) : stand_in(made.name, made.scale);
  if (!model)
    return fail(model.error());
  made.model = std::move(*model);
  return made;
}

[[nodiscard]] tile test_tile(int side) {
  tile made{side, side, std::vector<float>(static_cast<std::size_t>(side * side * 3))};
  std::uint32_t state = 1;
  for (float& colour : made.rgb) {
    state = state * 1664525 + 1013904223;
    colour = static_cast<float>(state >> 24);
  }
  return made;
}

void print_row(const std::vector<std::string>& cells) {
  for (const std::string& cell : cells)
    std::printf("| %s ", cell.c_str());
  std::puts("|");
  std::fflush(stdout);
}

void print_head(const std::vector<std::string>& cells) {
  print_row(cells);
  print_row(std::vector<std::string>(cells.size(), "---"));
}

// The table that the goals are about: fp16, work on the device alone, as torch is measured.
[[nodiscard]] result<std::vector<curve>> print_speed(const std::vector<named_network>& networks, const settings& wanted,
                                                     const peer_times& peer, double bandwidth) {
  std::puts("\n## Images a second, fp16, on the device alone\n");
  print_head({"network", "side", "batch", "ms", "ms an image", "images/s", "TFLOP/s", "of peak", "of memory floor",
              "torch eager ms", "torch compiled ms", "ferry is"});
  std::vector<curve> curves;
  for (const named_network& one : networks) {
    auto engine = device_engine::make(one.model, {wanted.device, precision::fp16, 0});
    auto compiled = compile(one.model, precision::fp16);
    if (!engine || !compiled)
      return fail(engine ? compiled.error() : engine.error());
    for (const int side : wanted.sides) {
      curve line{one.name, one.scale, side, {}};
      for (const int batch : wanted.batches) {
        const tile_batch tiles{side, side, batch};
        const auto timing = (*engine)->measure(tiles, wanted.repeats);
        if (!timing && timing.error().code == error_code::out_of_memory) {
          print_row(
              {one.model.name + " ×" + std::to_string(one.scale), std::to_string(side), std::to_string(batch), "out of memory"});
          continue;
        }
        if (!timing)
          return fail(timing.error());
        line.ms.emplace_back(batch, timing->median_ms);
        const double seconds = timing->median_ms * 1e-3;
        const double rate = operations(one.model, tiles) / seconds;
        const auto peak = peak_operations((*engine)->facts(), precision::fp16);
        const auto eager = peer.ms(one.name, one.scale, side, batch, "eager");
        const auto built = peer.ms(one.name, one.scale, side, batch, "compiled");
        const auto best = eager && built ? std::optional(std::min(*eager, *built)) : (eager ? eager : built);
        print_row({one.model.name + " ×" + std::to_string(one.scale), std::to_string(side), std::to_string(batch),
                   number(timing->median_ms, 3), number(timing->median_ms / batch, 3), number(batch / seconds, 1),
                   number(rate * 1e-12, 1), peak ? number(100 * rate / *peak, 1) + " %" : "–",
                   number(100 * moved_bytes(*compiled, tiles) / bandwidth / seconds, 1) + " %", or_dash(eager, 3),
                   or_dash(built, 3), best ? number(*best / timing->median_ms, 2) + "×" : "–"});
      }
      curves.push_back(std::move(line));
    }
  }
  return curves;
}

// Least squares. n images at once take a + b·n.
void print_fits(const std::vector<curve>& curves) {
  std::puts("\n## Time of a batch of n: a + b·n\n");
  print_head({"network", "side", "a, ms", "b, ms an image", "largest deviation"});
  for (const curve& one : curves) {
    const auto count = static_cast<double>(one.ms.size());
    if (one.ms.size() < 2)
      continue;
    double n = 0, t = 0, nn = 0, nt = 0;
    for (const auto& [batch, ms] : one.ms) {
      n += batch;
      t += ms;
      nn += static_cast<double>(batch) * batch;
      nt += batch * ms;
    }
    const double b = (count * nt - n * t) / (count * nn - n * n);
    const double a = (t - b * n) / count;
    double deviation = 0;
    for (const auto& [batch, ms] : one.ms)
      deviation = std::max(deviation, std::abs(a + b * batch - ms) / ms);
    print_row({one.name + " ×" + std::to_string(one.scale), std::to_string(one.side), number(a, 3), number(b, 3),
               number(100 * deviation, 1) + " %"});
  }
}

// Whole calls: floats of the host in and out, as many at once as the engine sees fit.
[[nodiscard]] result<void> print_calls(const std::vector<named_network>& networks, const settings& wanted) {
  std::puts("\n## Whole calls of 32 tiles, copies included, fp16\n");
  print_head({"network", "side", "at once", "device memory, MiB", "s", "tiles/s"});
  for (const named_network& one : networks) {
    auto engine = device_engine::make(one.model, {wanted.device, precision::fp16, 0});
    if (!engine)
      return fail(engine.error());
    for (const int side : wanted.sides) {
      const std::vector<tile> inputs(32, test_tile(side));
      std::vector<tile> outputs(inputs.size());
      double best = 1e9;
      for (int i = 0; i < 4; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        if (auto done = (*engine)->enlarge(inputs, outputs, {}); !done)
          return done;
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
      }
      print_row({one.model.name + " ×" + std::to_string(one.scale), std::to_string(side),
                 std::to_string((*engine)->count_at_once(side, side, inputs.size())),
                 std::to_string((*engine)->memory_held() >> 20), number(best, 4),
                 number(static_cast<double>(inputs.size()) / best, 1)});
    }
  }
  return {};
}

[[nodiscard]] result<void> print_precisions(const std::vector<named_network>& networks, const settings& wanted) {
  std::puts("\n## Precisions, 4 tiles of 256 at once, and whether launches overlap\n");
  print_head({"network", "precision", "launches overlap", "ms", "TFLOP/s", "of its peak"});
  for (const named_network& one : networks) {
    for (const auto& [precision, label] :
         {std::pair{precision::fp16, "fp16"}, {precision::tf32, "tf32"}, {precision::fp32, "fp32"}}) {
      auto engine = device_engine::make(one.model, {wanted.device, precision, 0});
      if (!engine)
        return fail(engine.error());
      for (const bool overlap : {true, false}) {
        (*engine)->set_overlapping_launches(overlap);
        const tile_batch tiles{256, 256, 4};
        const auto timing = (*engine)->measure(tiles, wanted.repeats);
        if (!timing)
          return fail(timing.error());
        const double rate = operations(one.model, tiles) / (timing->median_ms * 1e-3);
        const auto peak = peak_operations((*engine)->facts(), precision);
        print_row({one.model.name + " ×" + std::to_string(one.scale), label, overlap ? "yes" : "no", number(timing->median_ms, 3),
                   number(rate * 1e-12, 1), peak ? number(100 * rate / *peak, 1) + " %" : "–"});
      }
    }
  }
  return {};
}

[[nodiscard]] result<void> run(const settings& wanted) {
  std::vector<named_network> networks;
  for (const std::string& name : wanted.networks) {
    auto one = load(name, wanted.models);
    if (!one)
      return fail(one.error());
    networks.push_back(std::move(*one));
  }
  peer_times peer;
  if (!wanted.torch.empty()) {
    auto read = peer_times::read(wanted.torch);
    if (!read)
      return fail(read.error());
    peer = std::move(*read);
  }
  if (auto count = cuda_device_count(); !count)
    return fail(count.error());
  if (auto done = checked(cudaSetDevice(wanted.device), "use device " + std::to_string(wanted.device)); !done)
    return done;
  const auto facts = read_facts(wanted.device);
  const auto bandwidth = measured_bandwidth();
  if (!facts || !bandwidth)
    return fail(facts ? bandwidth.error() : facts.error());
  std::printf("# ferry-upscale on %s\n\nsm_%d%d, %d multiprocessors, up to %.0f MHz, %.0f MiB of second-level cache; copies within "
              "the device move %.2f TB/s"
              " (read and written).\n",
              facts->name.c_str(), facts->major, facts->minor, facts->multiprocessors, facts->clock_khz * 1e-3,
              static_cast<double>(facts->cache_bytes) / 1048576.0, *bandwidth * 1e-12);
  if (const auto peak = peak_operations(*facts, precision::fp16))
    std::printf("Dense fp16 peak at that clock: %.0f TFLOP/s.\n", *peak * 1e-12);
  const auto curves = print_speed(networks, wanted, peer, *bandwidth);
  if (!curves)
    return fail(curves.error());
  print_fits(*curves);
  if (auto done = print_calls(networks, wanted); !done)
    return done;
  return print_precisions(networks, wanted);
}

} // namespace

int main(int argc, char** argv) {
  settings wanted;
  CLI::App app{"Measures the CUDA upscaler"};
  app.add_option("--networks", wanted.networks, "name:scale, separated by commas")->delimiter(',');
  app.add_option("--sides", wanted.sides, "of square tiles, in pixels")->delimiter(',')->check(CLI::Range(1, 4096));
  app.add_option("--batches", wanted.batches, "tiles at once")->delimiter(',')->check(CLI::Range(1, 1024));
  app.add_option("--models", wanted.models, "where packages are looked for first; random weights where one is not found");
  app.add_option("--torch", wanted.torch, "what torch_peer.py wrote");
  app.add_option("--device", wanted.device, "CUDA's number of the device");
  app.add_option("--repeats", wanted.repeats, "of each measurement; the median counts")->check(CLI::Range(1, 10000));
  CLI11_PARSE(app, argc, argv);
  if (auto done = run(wanted); !done) {
    std::fprintf(stderr, "%s\n", to_string(done.error()).c_str());
    return 1;
  }
  return 0;
}
