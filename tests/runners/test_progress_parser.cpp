#include "run_harness.hpp"
#include "runners/progress_parser.hpp"

#include <catch2/catch_all.hpp>
#include <random>

using namespace ferry;
using namespace ferry::runners;
using Catch::Approx;
using config::progress_source;

namespace {

std::string fixture(const std::string& name) { return test::read_text(std::filesystem::path(FERRY_FIXTURES) / name); }

// Every different progress on the way through `text`, fed in pieces of `piece` bytes.
std::vector<progress> all_of(progress_source source, const std::string& text, std::size_t piece, const std::string& pattern = {}) {
  output_progress parser(source, pattern);
  std::vector<progress> found;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    parser.feed(std::string_view(text).substr(at, piece));
    if (auto p = parser.take())
      found.push_back(*p);
  }
  return found;
}

void check_rises(const std::vector<progress>& steps) {
  for (std::size_t i = 1; i < steps.size(); ++i)
    CHECK(steps[i].fraction.value_or(0) >= steps[i - 1].fraction.value_or(0));
}

} // namespace

TEST_CASE("a tqdm bar gives fraction, step, total and its description") {
  const auto p = parse_tqdm("frames:  45%|####5     | 45/100 [00:10<00:12,  4.50it/s]");
  REQUIRE(p);
  CHECK(p->fraction == Approx(0.45));
  CHECK(p->step == 45);
  CHECK(p->total == 100);
  CHECK(p->message == "frames");
  CHECK(parse_tqdm("  0%|          | 0/100 [00:00<?, ?it/s]")->fraction == 0.0);
  CHECK(parse_tqdm("100%|##########| 100/100 [00:22<00:00,  4.47it/s, loss=0.1]")->fraction == 1.0);
}

TEST_CASE("what only looks like a tqdm bar tells of no progress") {
  for (const char* line : {"", "45%", "45%|", "45%|###", "45%|###   | 45/100", "45%|###   | 45/100 [00:10", "|###| 45/100 [00:10]",
                           "accuracy 99% | loss 0.1", "x%|###| 1/2 [00:01<00:01]", "999%|###| 1/2 [00:01<00:01]", "list [1, 2, 3]",
                           "it [a]", "12 items [x: y/s]", "99999999999999999999it [00:01, 1it/s]"})
    CHECK_FALSE(parse_tqdm(line).has_value());
}

TEST_CASE("captured tqdm output is understood in pieces of any size") {
  for (const std::size_t piece : {1UL, 7UL, 64UL, 100'000UL}) {
    const auto steps = all_of(progress_source::automatic, fixture("tqdm_single.log"), piece);
    REQUIRE_FALSE(steps.empty());
    check_rises(steps);
    CHECK(steps.back().step == 40);
    CHECK(steps.back().total == 40);
    CHECK(steps.back().fraction == 1.0);
    CHECK(steps.back().message == "frames");
  }
  CHECK(all_of(progress_source::tqdm, fixture("tqdm_single.log"), 1).size() == 41);
}

TEST_CASE("of nested tqdm bars the outer one counts") {
  const auto steps = all_of(progress_source::tqdm, fixture("tqdm_nested.log"), 16);
  REQUIRE_FALSE(steps.empty());
  check_rises(steps);
  for (const auto& step : steps)
    CHECK(step.message == "epoch");
  CHECK(steps.back().fraction == 1.0);
}

TEST_CASE("tqdm counts without a total and with units") {
  const auto steps = all_of(progress_source::tqdm, fixture("tqdm_counts.log"), 8);
  REQUIRE(steps.size() > 5);
  CHECK(steps.front().step == 0);
  CHECK_FALSE(steps.front().fraction.has_value());
  CHECK(std::any_of(steps.begin(), steps.end(), [](const progress& p) { return p.step == 12; }));
  CHECK(steps.back().fraction == 1.0);
  CHECK_FALSE(steps.back().step.has_value());
  CHECK(steps.back().message == "model.safetensors");
}

TEST_CASE("captured ffmpeg output: frames of the output over duration times rate") {
  for (const std::size_t piece : {1UL, 50UL, 100'000UL}) {
    const auto steps = all_of(progress_source::automatic, fixture("ffmpeg_upscale.log"), piece);
    REQUIRE_FALSE(steps.empty());
    check_rises(steps);
    CHECK(steps.back().step == 150);
    CHECK(steps.back().total == 150);
    CHECK(steps.back().fraction == 1.0);
  }
  CHECK(all_of(progress_source::ffmpeg, fixture("ffmpeg_upscale.log"), 50).size() > 5);
}

TEST_CASE("an ffmpeg that was terminated has not finished, though it says progress=end") {
  const std::string log = fixture("ffmpeg_terminated.log");
  REQUIRE(log.find("progress=end") != std::string::npos);
  const auto steps = all_of(progress_source::ffmpeg, log, 100'000);
  REQUIRE(steps.size() == 1);
  CHECK(steps.back().fraction.value() < 0.5);
}

TEST_CASE("an ffmpeg that writes no frames is followed by its time") {
  const auto steps = all_of(progress_source::ffmpeg, fixture("ffmpeg_audio.log"), 40);
  REQUIRE(steps.size() > 3);
  check_rises(steps);
  CHECK_FALSE(steps.back().step.has_value());
  CHECK(steps.back().fraction == Approx(1.513968 / 6));
}

TEST_CASE("a second ffmpeg of the same job starts from nothing") {
  ffmpeg_parser parser;
  const auto feed = [&](const char* line) { return parser.line(line); };
  for (const char* line : {"Input #0, mp4", "  Duration: 00:00:10.00, start", "  Stream #0:0: Video: h264, 25 fps, 25 tbr",
                           "Output #0, mp4", "  Stream #0:0: Video: h264, 50 fps, 12800 tbn"})
    CHECK_FALSE(feed(line).has_value());
  CHECK(feed("frame=250")->total == 500);
  for (const char* line : {"Input #0, mp4", "  Duration: N/A, start", "  Stream #0:0: Video: h264, 25 fps, 25 tbr"})
    CHECK_FALSE(feed(line).has_value());
  const auto p = feed("frame=  250 fps= 25 q=28.0 size=     256kB time=00:00:10.00");
  CHECK(p->step == 250);
  CHECK_FALSE(p->total.has_value());
  CHECK_FALSE(p->fraction.has_value());
}

TEST_CASE("of several inputs the longest counts") {
  ffmpeg_parser parser;
  for (const char* line : {"Input #0, png_pipe", "  Duration: 00:00:00.04, start",
                           "  Stream #0:0: Video: png, rgb24, 10x10, 25 fps", "Input #1, mp4", "  Duration: 01:00:00.00, start",
                           "  Stream #1:0: Video: h264, 23.98 fps", "Output #0, mp4", "  Stream #0:0: Video: h264, 24 fps"})
    CHECK_FALSE(parser.line(line).has_value());
  CHECK(parser.line("frame=1")->total == 86'400);
}

TEST_CASE("a pattern's one group is a fraction or a percentage, two are step and total") {
  const pattern_parser percent("done ([0-9.]+) ?%");
  CHECK(percent.line("done 45%")->fraction == Approx(0.45));
  CHECK(percent.line("done 1 %")->fraction == Approx(0.01));
  CHECK_FALSE(percent.line("done 145%").has_value());
  CHECK_FALSE(percent.line("done 4.5.6%").has_value());
  CHECK_FALSE(percent.line("nothing").has_value());
  CHECK(pattern_parser("progress=(\\S+)").line("progress=0.25")->fraction == Approx(0.25));
  CHECK(pattern_parser("progress=(\\S+)").line("progress=25")->fraction == Approx(0.25));
  const auto steps = pattern_parser("step (\\d+) of (\\d+)").line("2024 step 30 of 120 loss 0.1");
  CHECK(steps->step == 30);
  CHECK(steps->total == 120);
  CHECK(steps->fraction == Approx(0.25));
  CHECK_FALSE(pattern_parser("step (\\d+) of (\\d+)").line("step 99999999999999999999 of 1").has_value());
}

TEST_CASE("a pattern that cannot be compiled, has no group, or looks back matches nothing") {
  for (const char* pattern : {"(", "no group", "(a)\\1"})
    CHECK_FALSE(pattern_parser(pattern).line("aa no group (").has_value());
}

TEST_CASE("a pattern that backtracks without end elsewhere is answered here") {
  CHECK_FALSE(pattern_parser("^(a+)+b$").line(std::string(4000, 'a')).has_value());
}

TEST_CASE("patterns read the output by lines, the newest counts") {
  const auto steps =
      all_of(progress_source::pattern, "epoch 1/4\nepoch 2/4\nother\nepoch 3/4\nepoch 4", 100'000, "epoch (\\d+)/(\\d+)");
  REQUIRE(steps.size() == 1);
  CHECK(steps.front().step == 3);
}

TEST_CASE("sources that are not asked for are not read") {
  const std::string bar = "\r 50%|#####     | 5/10 [00:10<00:12,  4.50it/s]";
  CHECK(all_of(progress_source::ffmpeg, bar, 1000).empty());
  CHECK(all_of(progress_source::none, bar, 1000).empty());
  CHECK(all_of(progress_source::events, bar, 1000).empty());
  CHECK(all_of(progress_source::tqdm, "frame=5\n", 1000).empty());
}

TEST_CASE("random bytes tell of nothing and break nothing") {
  std::mt19937 random(11);
  const std::string alphabet = "0123456789%|/[]:=<. \r\nframeDurationStreamitout_time_us\x1b\x00\xff";
  for (const auto source : {progress_source::automatic, progress_source::tqdm, progress_source::ffmpeg, progress_source::pattern}) {
    output_progress parser(source, "(\\d+)/(\\d+)");
    for (int round = 0; round < 2000; ++round) {
      std::string noise(random() % 200, '\0');
      for (char& c : noise)
        c = random() % 4 == 0 ? static_cast<char>(random()) : alphabet[random() % alphabet.size()];
      parser.feed(noise);
      if (const auto p = parser.take()) {
        REQUIRE(p->fraction.value_or(0) >= 0);
        REQUIRE(p->fraction.value_or(0) <= 1);
        REQUIRE(p->step.value_or(0) >= 0);
        REQUIRE(p->total.value_or(1) > 0);
      }
    }
  }
}
