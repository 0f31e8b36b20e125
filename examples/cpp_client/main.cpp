// Submits a command to the ferryd of another machine, shows what becomes of it, and ends with its result.
//   submit_elsewhere HOST PORT CERTIFICATE KEY AUTHORITY COMMAND…
#include <ferry/client.hpp>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace {

int refuse(const ferry::error& e) {
  std::fprintf(stderr, "%s\n", to_string(e).c_str());
  return EXIT_FAILURE;
}

void show(const ferry::followed_event& what) {
  if (const auto* change = std::get_if<ferry::job_change>(&what))
    std::printf("job %lld is %s %s\n", static_cast<long long>(change->id), change->state.c_str(), change->phase.c_str());
  else if (const auto* step = std::get_if<ferry::progress_event>(&what); step && step->fraction)
    std::printf("job %lld: %.0f%%\n", static_cast<long long>(step->id), *step->fraction * 100);
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 7) {
    std::fprintf(stderr, "usage: %s HOST PORT CERTIFICATE KEY AUTHORITY COMMAND...\n", argv[0]);
    return 2;
  }
  const auto queue = ferry::client::connect({.host = argv[1],
                                             .port = static_cast<std::uint16_t>(std::atoi(argv[2])),
                                             .certificate = argv[3],
                                             .key = argv[4],
                                             .authority = argv[5]});
  if (!queue)
    return refuse(queue.error());
  const auto following = (*queue)->follow(show);
  const nlohmann::json params{{"argv", std::vector<std::string>(argv + 6, argv + argc)}};
  const auto ids = (*queue)->submit({{.type = "command", .params = params.dump()}});
  if (!ids)
    return refuse(ids.error());
  const auto end = (*queue)->wait(ids->front(), std::chrono::hours(24));
  if (!end)
    return refuse(end.error());
  std::printf("%s %s\n", end->state.c_str(), end->failure.c_str());
  return end->state == "completed" ? EXIT_SUCCESS : EXIT_FAILURE;
}
