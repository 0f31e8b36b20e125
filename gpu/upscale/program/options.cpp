#include "gpu/upscale/program/options.hpp"

#include "config/limits.hpp"
#include "gpu/upscale/program/job_params.hpp"
#include "gpu/upscale/program/memory_size.hpp"
#include "model/version.hpp"

#include <CLI/CLI.hpp>

namespace ferry::upscale {
namespace fs = std::filesystem;
namespace {

struct words_taken {
  std::string source, output, device = "auto", precision = "fp16", memory, models, spec;
  bool worker = false, devices = false;
};

void declare(CLI::App& app, options& into, words_taken& words) {
  app.add_option("--source", words.source, "a PNG or JPEG picture, a folder of them, or a video")->type_name("PATH");
  app.add_option("--output", words.output,
                 "what to make: .png .jpg for a picture, .mp4 .m4v .mkv .mov .webm for a video, a folder for a folder")
      ->type_name("PATH");
  app.add_option("--model", into.job.model, "the network: slim, medium or thick; default slim")->type_name("NAME");
  app.add_option("--scale", into.job.scale, "how many times as wide and as high: 2, 3, 4 or 8; default 2")->type_name("N");
  app.add_option("--control-weight", into.job.control_weight, "how much of the network, 0 to 1; the rest is Lanczos; default 1")
      ->type_name("W");
  app.add_option("--prompt", into.job.prompt, "recorded with the result; no network here reads it")->type_name("TEXT");
  app.add_option("--device", words.device, "auto (a GPU if there is one), cpu or cuda; default auto")->type_name("NAME");
  app.add_option("--precision", words.precision, "of a GPU: fp16, tf32 or fp32; default fp16")->type_name("NAME");
  app.add_option("--threads", into.compute.threads, "of the CPU; default $OMP_NUM_THREADS, otherwise all that this process may use")
      ->type_name("N");
  app.add_option("--memory", words.memory,
                 "at most so much: of the host, or with a GPU of the GPU; such as 800MiB; 0: what usually fits")
      ->type_name("SIZE");
  app.add_option("--models", words.models,
                 "where the packages esrgan-slim, -medium and -thick lie; default $FERRY_MODELS, then the usual places")
      ->type_name("FOLDER");
  app.add_option("--spec", words.spec, "do the jobs of this file, which the queue wrote; reports to $FERRY_EVENTS")
      ->type_name("FILE");
  app.add_flag("--worker", words.worker, "take jobs as JSON lines on standard input, and report on standard output");
  app.add_flag("--devices", words.devices, "say what can compute");
  app.footer(
      "Ends with 0 when all is done, 1 when something failed, 2 when these options cannot be used, 143 after SIGTERM.\n"
      "A video is made in segments in .NAME.segments beside the output: a run that was ended goes on there when it is run again.");
}

tl::unexpected<error> wrong(std::string what) {
  return fail(error_code::invalid_argument, std::move(what), "ferry-upscale --help says what there is");
}

result<void> settle_compute(const words_taken& words, compute_options& compute) {
  if (words.device == "cpu")
    compute.device = device_choice::cpu;
  else if (words.device == "cuda")
    compute.device = device_choice::cuda;
  else if (words.device != "auto")
    return wrong("--device is \"" + words.device + "\"; it can be auto, cpu or cuda");
  if (words.precision == "tf32")
    compute.precision = precision::tf32;
  else if (words.precision == "fp32")
    compute.precision = precision::fp32;
  else if (words.precision != "fp16")
    return wrong("--precision is \"" + words.precision + "\"; it can be fp16, tf32 or fp32");
  if (compute.threads < 1 || compute.threads > limits::device_threads_max)
    return wrong("--threads is " + std::to_string(compute.threads) + "; it lies between 1 and " +
                 std::to_string(limits::device_threads_max));
  if (!words.memory.empty()) {
    const auto bytes = memory_size_from(words.memory);
    if (!bytes)
      return fail(bytes.error().code, "--memory: " + bytes.error().what, bytes.error().hint);
    if (*bytes > 0)
      compute.memory_bytes = *bytes;
  }
  compute.models_folder = words.models;
  return {};
}

// An output that is a folder already takes the result under the source's name.
fs::path settled_output(const fs::path& source, const fs::path& output) {
  std::error_code none;
  if (!fs::is_directory(output, none) || fs::is_directory(source, none))
    return output;
  const std::string ending = source.extension().string();
  const bool is_picture =
      ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".PNG" || ending == ".JPG" || ending == ".JPEG";
  return output / (source.stem().string() + (is_picture ? ".png" : ".mp4"));
}

result<void> settle_direct(const words_taken& words, upscale_job& job) {
  if (words.source.empty() || words.output.empty())
    return wrong(words.source.empty() ? "--source is missing: what is to be enlarged" : "--output is missing: what is to be made");
  job.source = words.source;
  fs::path output = settled_output(job.source, fs::absolute(words.output).lexically_normal());
  if (!output.has_filename())
    output = output.parent_path();
  job.folder = output.parent_path();
  job.output = output.filename().string();
  if (auto sound = check_job(job); !sound)
    return wrong(to_string(sound.error()));
  return {};
}

} // namespace

result<options> parse_options(int count, const char* const* given) {
  options chosen;
  chosen.compute.threads = usual_threads();
  words_taken words;
  CLI::App app("Enlarges pictures and videos with ESRGAN networks, on the CPU or a GPU.", "ferry-upscale");
  app.set_version_flag("--version", std::string("ferry-upscale ") + version);
  declare(app, chosen, words);
  try {
    app.parse(count, given);
  } catch (const CLI::CallForHelp&) {
    chosen.what = options::purpose::print;
    chosen.text = app.help();
    return chosen;
  } catch (const CLI::CallForVersion& e) {
    chosen.what = options::purpose::print;
    chosen.text = std::string(e.what()) + "\n";
    return chosen;
  } catch (const CLI::ParseError& e) { return wrong(e.what()); }
  if (auto settled = settle_compute(words, chosen.compute); !settled)
    return fail(std::move(settled.error()));
  const int purposes = (words.spec.empty() ? 0 : 1) + (words.worker ? 1 : 0) + (words.devices ? 1 : 0);
  if (purposes > 1 || (purposes == 1 && !(words.source.empty() && words.output.empty())))
    return wrong("--source with --output, --spec, --worker and --devices exclude each other");
  if (words.devices) {
    chosen.what = options::purpose::devices;
  } else if (words.worker) {
    chosen.what = options::purpose::worker;
  } else if (!words.spec.empty()) {
    chosen.what = options::purpose::spec;
    chosen.spec_file = words.spec;
  } else if (auto settled = settle_direct(words, chosen.job); !settled) {
    return fail(std::move(settled.error()));
  }
  return chosen;
}

} // namespace ferry::upscale
