#include "scheduling/audit.hpp"

#include <algorithm>
#include <iterator>

namespace ferry::scheduling {
namespace {

using batches = std::set<batch_id>;

batches without(const batches& a, const batches& b) {
  batches rest;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(rest, rest.end()));
  return rest;
}

batches both(const batches& a, const batches& b) {
  batches common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(common, common.end()));
  return common;
}

void tell(std::string& text, const char* what, const batches& which) {
  for (const batch_id batch : which)
    text += (text.empty() ? "batch " : "; batch ") + to_string(batch) + " " + what;
}

} // namespace

repairs compare_books(const run_books& before, const run_books& now) {
  repairs found;
  const auto strays = [](const run_books& b) { return without(without(b.alive, b.on_disk), b.in_memory); };
  const auto forgotten = [](const run_books& b) { return without(b.on_disk, b.in_memory); };
  const auto unrecorded = [](const run_books& b) { return without(b.in_memory, b.on_disk); };
  const auto vanished = [](const run_books& b) { return without(both(b.expected, b.on_disk), b.alive); };
  const auto stray = both(strays(before), strays(now));
  found.strays.assign(stray.begin(), stray.end());
  tell(found.differences, "runs on disk and is unknown to the queue", both(forgotten(before), forgotten(now)));
  tell(found.differences, "runs in the queue and not on disk", both(unrecorded(before), unrecorded(now)));
  tell(found.differences, "has no process and has not ended", both(vanished(before), vanished(now)));
  return found;
}

} // namespace ferry::scheduling
