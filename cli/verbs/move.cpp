#include "cli/each_job.hpp"
#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "cli/plan_views.hpp"
#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"

#include <charconv>

namespace ferry::cli {
namespace {

result<json> place_from(const std::string& word) {
  if (word == "top" || word == "bottom")
    return json(word);
  std::int64_t position = 0;
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), position);
  if (failed != std::errc{} || end != word.data() + word.size() || position < 1)
    return fail(error_code::invalid_argument, "PLACE must be a position from 1, top or bottom, is \"" + printable(word) + "\"");
  return json(position);
}

class move_job final : public action {
public:
  void declare(arguments& a) override {
    a.job("ID", id_, "which job");
    a.positional("PLACE", place_, value_kind::choice, "its new position, top or bottom (within its priority)");
    a.suggest({"top", "bottom"});
    a.flag("--dry-run", dry_run_, "change nothing: show whose start would change, and by how much");
  }

  result<int> run(context& c) override {
    const auto place = place_from(*place_);
    if (!place)
      return fail(place.error());
    return for_each_job(
        c, {id_},
        {.request =
             [&](std::int64_t id) {
               json change = {{"position", *place}};
               if (dry_run_)
                 change["dry_run"] = true;
               return c.call({.method = "POST", .path = "/jobs/" + std::to_string(id) + "/move", .body = to_text(change)});
             },
         .page =
             [&](const json& answer) {
               return dry_run_ ? changes_page(answer, c.out(), wall_clock_now()) : job_line(answer, wall_clock_now()) + "\n";
             }});
  }

private:
  std::int64_t id_ = 0;
  std::optional<std::string> place_;
  bool dry_run_ = false;
};

} // namespace

std::unique_ptr<action> make_move() { return std::make_unique<move_job>(); }

} // namespace ferry::cli
