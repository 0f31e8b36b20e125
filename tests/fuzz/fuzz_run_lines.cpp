// Any bytes as what a job, its worker or its shim says: reported lines, events of a run, progress that a program prints. The first
// byte chooses how large the pieces are in which they come.
#include "runners/progress_parser.hpp"
#include "runners/reported_lines.hpp"
#include "runners/run_directory.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ferry;
using namespace ferry::runners;

namespace {

constexpr int no_folder = -1; // nothing is missed, so no file is looked into

template <class Feed>
void in_pieces(std::string_view bytes, std::size_t size, Feed&& feed) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size())))
    feed(bytes.substr(0, size));
}

// What one of ferry's programs writes, another reads: the same event.
void check_is_read_again(const run_event& event) {
  const auto written = to_json(event);
  const auto text = written.dump(-1, ' ', false, json::error_handler_t::replace);
  std::vector<run_event> read;
  event_reader().take(no_folder, 0, text + "\n", read);
  must(read.size() == 1);
  must(to_json(read.front()).dump(-1, ' ', false, json::error_handler_t::replace) == text);
}

} // namespace

void ferry::fuzz(std::string_view bytes) {
  if (bytes.empty())
    return;
  const auto size = std::size_t{1} + static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  const auto now = from_unix_ms(1'000);

  reported_lines reported({{job_id{1}, json::object(), "/runs/1/jobs/1"}, {job_id{2}, json::object(), "/runs/1/jobs/2"}});
  in_pieces(bytes, size, [&](std::string_view piece) { reported.feed(piece, now); });
  reported.end(now);
  for (const auto& event : reported.take_events())
    check_is_read_again(event);
  for (const auto& event : reported.take_progress())
    check_is_read_again(event);
  (void)reported.unended();

  std::vector<run_event> events;
  event_reader().take(no_folder, 0, bytes, events);
  for (const auto& event : events)
    check_is_read_again(event);

  for (const auto source : {config::progress_source::automatic, config::progress_source::tqdm, config::progress_source::ffmpeg,
                            config::progress_source::pattern}) {
    output_progress printed(source, R"(step (\d+) of (\d+))");
    in_pieces(bytes, size, [&](std::string_view piece) { printed.feed(piece); });
    if (const auto told = printed.take(); told && told->fraction)
      must(*told->fraction >= 0 && *told->fraction <= 1);
  }
}
