#include "cli/each_job.hpp"
#include "cli/editor.hpp"
#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "cli/parameters.hpp"
#include "cli/text.hpp"
#include "cli/verbs/job_options.hpp"
#include "cli/verbs/verbs.hpp"

#include <algorithm>
#include <unistd.h>

namespace ferry::cli {
namespace {

// The PATCH that turns `before` into `after`: what is new or another value, and null for what is gone.
json changes(const json& before, const json& after) {
  json patch = json::object();
  for (const auto& [key, value] : after.items())
    if (!before.contains(key) || before[key] != value)
      patch[key] = value;
  for (const auto& [key, value] : before.items())
    if (!after.contains(key))
      patch[key] = nullptr;
  return patch;
}

class edit final : public action {
public:
  void declare(arguments& a) override {
    a.job("ID", id_, "which job");
    a.list("-p,--param", params_, "KEY=VALUE", "set a parameter; key=null takes it away");
    a.text("--json", document_, "OBJECT", "parameters as a JSON object, @FILE or - for standard input; those not named stay");
    a.text("-n,--name", name_, "TEXT", "another name");
    a.integer("--priority", priority_, "N", "0-100, larger first", priority_min, priority_max);
  }

  result<int> run(context& c) override {
    const bool by_options = !params_.empty() || document_ || name_ || priority_;
    return by_options ? edit_by_options(c) : edit_in_editor(c);
  }

private:
  [[nodiscard]] std::string path() const { return "/jobs/" + std::to_string(id_); }

  result<int> edit_by_options(context& c) {
    json patch = json::object();
    if (name_)
      patch["name"] = *name_;
    if (priority_)
      patch["priority"] = *priority_;
    if (!params_.empty() || document_) {
      auto params = changed_parameters(c);
      if (!params)
        return fail(params.error());
      patch["params"] = std::move(*params);
      const auto base = job_options::absolute_directory(".");
      if (!base)
        return fail(base.error());
      patch["base_dir"] = *base;
    }
    return for_each_job(c, {id_},
                        {.request = [&](std::int64_t) { return send(c, patch); },
                         .page = [](const json& job) { return job_line(job, wall_clock_now()) + "\n"; }});
  }

  // A dotted key changes a value within an object, whose other values are the job's present ones.
  result<json> changed_parameters(context& c) const {
    auto changed = document_ ? object_from(*document_, "--json") : result<json>(json::object());
    if (!changed)
      return changed;
    if (std::ranges::any_of(params_, [](const std::string& p) { return !dotted_root(p).empty(); })) {
      const auto job = c.ask({.method = "GET", .path = path()});
      if (!job)
        return job;
      const json& present = object_field(*job, "params");
      for (const std::string& assignment : params_)
        if (const std::string root = dotted_root(assignment); !root.empty() && !changed->contains(root) && present.contains(root))
          (*changed)[root] = present[root];
    }
    for (const std::string& assignment : params_)
      if (auto assigned = assign_parameter(*changed, assignment); !assigned)
        return fail(assigned.error());
    return changed;
  }

  result<std::string> send(context& c, const json& patch) const {
    auto body = body_from(patch);
    if (!body)
      return fail(body.error());
    return c.call({.method = "PATCH", .path = path(), .body = std::move(*body)});
  }

  result<int> edit_in_editor(context& c) {
    const auto job = c.ask({.method = "GET", .path = path()});
    if (!job)
      return fail(job.error());
    if (text_field(*job, "status") != "queued")
      return fail(error_code::conflict,
                  "only a queued job can be edited, job " + std::to_string(id_) + " is " + printable(text_field(*job, "status")));
    const json before = {{"name", text_field(*job, "name")},
                         {"priority", integer_field(*job, "priority").value_or(priority_default)},
                         {"params", object_field(*job, "params")}};
    edited_file file("job-" + std::to_string(id_) + ".json");
    if (auto written = file.write(before.dump(2, ' ', false, json::error_handler_t::replace) + "\n"); !written)
      return fail(written.error());
    for (;;) {
      if (auto edited = file.open_in_editor(); !edited)
        return fail(edited.error());
      auto sent = send_edited(c, file, before);
      if (sent)
        return *sent;
      if (!ask_again(c, sent.error())) {
        sent.error().hint += (sent.error().hint.empty() ? "" : "; ") + std::string("your text is kept in ") + file.keep();
        return sent;
      }
    }
  }

  result<int> send_edited(context& c, const edited_file& file, const json& before) {
    const auto text = file.read();
    if (!text)
      return fail(text.error());
    auto after = json_from(*text, "what you wrote");
    if (!after)
      return fail(after.error());
    if (!after->is_object() || !after->contains("params") || !(*after)["params"].is_object())
      return fail(error_code::invalid_argument, "what you wrote must be an object with \"name\", \"priority\" and \"params\"");
    for (const auto& [key, value] : after->items())
      if (!before.contains(key))
        return fail(error_code::invalid_argument, "what you wrote has a field \"" + printable(key) + "\", which no job has",
                    "name, priority and params can be changed");
    json patch = changes(before, *after);
    std::erase_if(patch.get_ref<json::object_t&>(), [](const auto& field) { return field.second.is_null(); });
    if (patch.contains("params"))
      patch["params"] = changes(before["params"], (*after)["params"]);
    if (patch.empty()) {
      c.note("nothing was changed\n");
      return exit_completed;
    }
    auto answer = send(c, patch);
    if (!answer)
      return fail(answer.error());
    if (c.wants_json())
      c.print_json(*answer);
    else
      c.print(job_line(json::parse(*answer, nullptr, false), wall_clock_now()) + "\n");
    return exit_completed;
  }

  static bool ask_again(context& c, const error& why) {
    if (!is_terminal(STDIN_FILENO) || !is_terminal(STDERR_FILENO))
      return false;
    c.report(why);
    c.note("Edit again? [Y/n] ");
    char answer = 0;
    char first = '\n';
    bool begun = false;
    while (::read(STDIN_FILENO, &answer, 1) == 1) {
      if (!begun)
        first = answer;
      begun = true;
      if (answer == '\n')
        return first != 'n' && first != 'N';
    }
    return false;
  }

  std::int64_t id_ = 0;
  std::vector<std::string> params_;
  std::optional<std::string> document_, name_;
  std::optional<std::int64_t> priority_;
};

} // namespace

std::unique_ptr<action> make_edit() { return std::make_unique<edit>(); }

} // namespace ferry::cli
