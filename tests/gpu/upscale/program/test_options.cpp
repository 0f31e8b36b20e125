// The command line: what is taken, what is refused and how.
#include "gpu/upscale/program/memory_size.hpp"
#include "gpu/upscale/program/options.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

using namespace ferry;
using namespace ferry::upscale;

namespace {

result<options> parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "ferry-upscale");
  return parse_options(static_cast<int>(words.size()), words.data());
}

std::string fault(std::vector<const char*> words) {
  const auto refused = parsed(std::move(words));
  REQUIRE(!refused);
  CHECK(refused.error().code == error_code::invalid_argument);
  return to_string(refused.error());
}

bool says(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("options become a job and what computes it") {
  const auto chosen = parsed({"--source",         "a.jpg", "--output", "folder/b.png", "--model",  "thick", "--scale",     "4",
                              "--control-weight", "0.7",   "--prompt", "a cat",        "--device", "cuda",  "--precision", "tf32",
                              "--threads",        "3",     "--memory", "1.5GiB",       "--models", "m"});
  REQUIRE(chosen);
  CHECK(chosen->what == options::purpose::direct);
  CHECK(chosen->job.source == "a.jpg");
  CHECK(chosen->job.folder == std::filesystem::current_path() / "folder");
  CHECK(chosen->job.output == "b.png");
  CHECK(chosen->job.model == "thick");
  CHECK(chosen->job.scale == 4);
  CHECK(chosen->job.control_weight == 0.7);
  CHECK(chosen->job.prompt == "a cat");
  CHECK(chosen->compute.device == device_choice::cuda);
  CHECK(chosen->compute.precision == precision::tf32);
  CHECK(chosen->compute.threads == 3);
  CHECK(chosen->compute.memory_bytes == 1536ULL * 1024 * 1024);
  CHECK(chosen->compute.models_folder == "m");
}

TEST_CASE("threads are those that the queue gave") {
  ::setenv("OMP_NUM_THREADS", "7", 1);
  CHECK(usual_threads() == 7);
  ::setenv("OMP_NUM_THREADS", "many", 1);
  CHECK(usual_threads() >= 1);
  ::unsetenv("OMP_NUM_THREADS");
  CHECK(usual_threads() >= 1);
}

TEST_CASE("an output that is a folder takes the source's name") {
  const auto place = [](const char* source, const char* output) {
    const auto chosen = parsed({"--source", source, "--output", output});
    REQUIRE(chosen);
    return chosen->job.folder / chosen->job.output;
  };
  CHECK(place("photos/a.JPG", "/tmp") == "/tmp/a.png");
  CHECK(place("a.mpg", "/tmp/") == "/tmp/a.mp4");
  CHECK(place("/usr", "/tmp/made/") == "/tmp/made");
}

TEST_CASE("what cannot be used is refused with its name, its value and what there is") {
  CHECK(says(fault({}), "--source"));
  CHECK(says(fault({"--source", "a.png"}), "--output"));
  CHECK(says(fault({"--sauce", "a.png"}), "--sauce"));
  CHECK(says(fault({"--source", "a.png", "--output", "b.png", "--scale", "5"}), "2, 3, 4 or 8"));
  CHECK(says(fault({"--source", "a.png", "--output", "b.png", "--scale", "two"}), "scale"));
  CHECK(says(fault({"--source", "a.png", "--output", "b.png", "--model", "slin"}), "did you mean slim?"));
  CHECK(says(fault({"--source", "a.png", "--output", "b.png", "--control-weight", "1.5"}), "between 0 and 1"));
  CHECK(says(fault({"--source", "a.png", "--output", "b.png", "--control-weight", "nan"}), "between 0 and 1"));
  CHECK(says(fault({"--source", "a.png", "--output", "b.png", "--device", "gpu"}), "auto, cpu or cuda"));
  CHECK(says(fault({"--source", "a.png", "--output", "b.png", "--precision", "int8"}), "fp16, tf32 or fp32"));
  CHECK(says(fault({"--source", "a.png", "--output", "b.png", "--threads", "0"}), "between 1 and"));
  CHECK(says(fault({"--source", "a.png", "--output", "b.png", "--memory", "lots"}), "2GiB"));
  CHECK(says(fault({"--worker", "--spec", "s.json"}), "exclude"));
  CHECK(says(fault({"--worker", "--source", "a.png"}), "exclude"));
}

TEST_CASE("amounts of memory are read as people write them") {
  constexpr std::uint64_t mib = 1024 * 1024;
  CHECK(memory_size_from("800MiB") == 800 * mib);
  CHECK(memory_size_from("800M") == 800 * mib);
  CHECK(memory_size_from("2G") == 2048 * mib);
  CHECK(memory_size_from("0MiB") == 0);
  CHECK(memory_size_from("0") == 0);
  CHECK(memory_size_from("1.5GB") == 1536 * mib);
  CHECK(memory_size_from("2097152") == 2 * mib);
  CHECK(memory_size_from("2097152B") == 2 * mib);
  CHECK(memory_size_from("4096K") == 4 * mib);
  for (const char* text : {"", "M", "-5M", "5X", "5MiBs", "0X", "-0.1M", "1", "nan", "inf", "1e30G", "99999T", "5 M"})
    CHECK(!memory_size_from(text));
  CHECK(memory_size_text(1536 * mib) == "1.5 GiB");
  CHECK(memory_size_text(800 * mib - 5) == "800 MiB");
}
