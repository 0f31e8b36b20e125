#include "cli/direct_run.hpp"
#include "cli/follow.hpp"
#include "cli/format.hpp"
#include "cli/job_lines.hpp"
#include "cli/job_views.hpp"
#include "cli/json_text.hpp"
#include "cli/moment.hpp"
#include "cli/submission.hpp"
#include "cli/sweep.hpp"
#include "cli/verbs/job_options.hpp"
#include "cli/verbs/verbs.hpp"
#include "config/locations.hpp"

#include <cstdlib>
#include <map>
#include <unistd.h>

namespace ferry::cli {
namespace {

class submit final : public action {
public:
  void declare(arguments& a) override {
    job_.declare(a, false);
    a.flag("-q,--quiet", quiet_, "print the id alone");
    a.integer("--priority", priority_, "N", "0-100, larger first; default 50", priority_min, priority_max);
    a.text("-n,--name", name_, "TEXT", "a name for people");
    a.flag("--held", held_, "keep it from starting until `ferry release`");
    a.text("--in", in_, "DURATION", "start no earlier than in so long: 90s, 30m, 2h");
    a.text("--after", after_, "TIME", "start no earlier than then: 22:00, or \"2026-12-24 18:00\"");
    a.list("--needs", needs_, "ID,…", "start once these jobs have completed", value_kind::job_id);
    a.choice("--on-needs-failure", on_needs_failure_, "WHAT", {"hold", "cancel", "start"}, false,
             "what becomes of it when one of them does not complete; default hold");
    a.list("--on", on_, "LABEL=VALUE", "run it only on such a device: gpu=h100, node=alpha, or a label of the configuration");
    a.text("--group", group_, "NAME", "the group that it belongs to: see `ferry help group`", value_kind::group);
    a.text("--user", user_, "NAME", "whose it is; default $FERRY_USER, else your login name");
    a.text("--unique", unique_, "KEY", "if a job with this key is queued or running, answer with that one instead");
    a.list("--sweep", sweeps_, "KEY=V,V,…",
           "a job for each value (KEY=1..8: for each number), and for each combination of several --sweep");
    a.flag("--dry-run", dry_run_,
           "submit nothing: say at which place it would wait, when it would start, and how long it may take");
    a.flag("-w,--wait", wait_, "wait until it has ended, and end with its exit status");
    a.flag("-f,--follow", follow_, "the same, and show its output and progress meanwhile");
    a.text("--from", from_, "FILE", "submit a job for each line of JSON in a file; - is standard input", value_kind::file);
    a.text("--idempotency-key", key_, "KEY", "submitting again with the same key answers with the first jobs");
  }

  result<int> run(context& c) override {
    if (auto checked = check(); !checked)
      return fail(checked.error());
    const auto delay = delay_seconds();
    if (!delay)
      return fail(delay.error());
    delay_seconds_ = *delay;
    if (auto listed = list_needs(); !listed)
      return fail(listed.error());
    if (auto read = read_labels(); !read)
      return fail(read.error());
    if (queue_disabled())
      return from_ ? run_file(c) : run_one(c);
    if (!sweeps_.empty())
      return submit_sweep(c);
    return from_ ? submit_many(c) : submit_one(c);
  }

private:
  result<void> check() const {
    if (!job_.type && !from_)
      return fail(error_code::invalid_argument, "TYPE is missing: which job type to submit", "`ferry types` lists them");
    if (from_ && !sweeps_.empty())
      return fail(error_code::invalid_argument, "--from and --sweep cannot be given together");
    if (in_ && after_)
      return fail(error_code::invalid_argument, "--in and --after cannot be given together");
    if (dry_run_ && (from_ || !sweeps_.empty() || wait_ || follow_))
      return fail(error_code::invalid_argument,
                  "--dry-run looks at one job: --from, --sweep, --wait and --follow do not go with it");
    if (from_ && !job_.argv.empty())
      return fail(error_code::invalid_argument, "--from and a program after -- cannot be given together");
    return key_ ? check_key(*key_) : result<void>{};
  }

  // Whole seconds until it may start; 0: at once.
  result<std::int64_t> delay_seconds() const {
    using std::chrono::ceil, std::chrono::seconds;
    if (in_) {
      const auto delay = duration_from("--in", *in_);
      return delay ? result<std::int64_t>(ceil<seconds>(*delay).count()) : fail(delay.error());
    }
    if (after_) {
      const auto now = wall_clock_now();
      const auto moment = moment_from(*after_, now);
      return moment ? result<std::int64_t>(ceil<seconds>(*moment - now).count()) : fail(moment.error());
    }
    return 0;
  }

  // Each label once.
  result<void> read_labels() {
    for (const std::string& text : on_) {
      const auto equals = text.find('=');
      if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
        return fail(error_code::invalid_argument, "--on must be LABEL=VALUE, is '" + text + "'");
      if (!labels_.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
        return fail(error_code::invalid_argument, "--on names " + text.substr(0, equals) + " twice");
    }
    return {};
  }

  // "41,42", or an option for each.
  result<void> list_needs() {
    for (const std::string& words : needs_)
      for (std::size_t at = 0; at <= words.size();) {
        const auto comma = std::min(words.find(',', at), words.size());
        const auto id = job_id_from(std::string_view(words).substr(at, comma - at));
        if (!id)
          return fail(error_code::invalid_argument, "--needs: " + id.error().what);
        needed_.push_back(*id);
        at = comma + 1;
      }
    if (on_needs_failure_ && needed_.empty())
      return fail(error_code::invalid_argument, "--on-needs-failure says nothing without --needs");
    return {};
  }

  static std::string own_name() {
    const char* named = std::getenv("FERRY_USER");
    return named && *named ? named : config::login_name(::getuid());
  }

  // The job without its parameters.
  json described() const {
    json job = json::object();
    if (job_.type)
      job["type"] = *job_.type;
    if (priority_)
      job["priority"] = *priority_;
    if (name_)
      job["name"] = *name_;
    if (held_)
      job["held"] = true;
    if (delay_seconds_ > 0)
      job["delay_seconds"] = delay_seconds_;
    if (group_)
      job["group"] = *group_;
    if (unique_)
      job["unique_key"] = *unique_;
    if (!labels_.empty())
      job["on"] = labels_;
    job["user"] = user_.value_or(own_name());
    if (!needed_.empty())
      job["needs"] = needed_;
    if (on_needs_failure_)
      job["on_needs_failure"] = *on_needs_failure_;
    return job;
  }

  result<int> submit_one(context& c) {
    auto params = job_.parameters();
    if (!params)
      return fail(params.error());
    json job = described();
    job["params"] = std::move(*params);
    const auto base = job_options::base_directory(*job_.type);
    if (!base)
      return fail(base.error());
    if (!base->empty())
      job["base_dir"] = *base;
    if (dry_run_)
      return look(c, std::move(job));
    auto done = submit_job(c, job, key_ ? *key_ : random_key());
    if (!done)
      return fail(done.error());
    const auto id = done->job.id;
    if (quiet_)
      c.print(std::to_string(id) + "\n");
    else if (!c.wants_json())
      say(c, submitted_line(done->job));
    else if (!wait_ && !follow_)
      c.print_json(done->answer);
    return wait_ || follow_ ? stay(c, {id}) : exit_completed;
  }

  static result<int> look(context& c, json job) {
    job["dry_run"] = true;
    const auto answer = c.call({.method = "POST", .path = "/jobs", .body = to_text(job)});
    if (!answer)
      return fail(answer.error());
    if (c.wants_json())
      c.print_json(*answer);
    else
      c.print(outlook_line(json::parse(*answer, nullptr, false), wall_clock_now()));
    return exit_completed;
  }

  // A followed job's output is all that goes to standard output.
  void say(context& c, const std::string& text) const {
    if (follow_)
      c.note(text);
    else
      c.print(text);
  }

  result<bulk_request> bulk() const {
    auto params = job_.shared_parameters();
    if (!params)
      return fail(params.error());
    bulk_request all{.file = *from_, .base = described(), .key = key_, .print_ids = quiet_};
    if (!params->empty())
      all.base["params"] = std::move(*params);
    auto here = job_options::absolute_directory(".");
    if (!here)
      return fail(here.error());
    all.directory = *here;
    return all;
  }

  result<int> submit_many(context& c) {
    const auto all = bulk();
    if (!all)
      return fail(all.error());
    const auto done = submit_file(c, *all);
    if (!done)
      return fail(done.error());
    return tell(c, *done);
  }

  result<int> submit_sweep(context& c) {
    const auto params = job_.parameters();
    if (!params)
      return fail(params.error());
    const auto all = combinations(*params, sweeps_);
    const auto base = job_options::base_directory(*job_.type);
    if (!all || !base)
      return fail(all ? base.error() : all.error());
    json jobs = json::array();
    for (const json& one : *all) {
      jobs.push_back(described());
      jobs.back()["params"] = one;
    }
    const auto done = submit_list(c, std::move(jobs), *base, key_ ? *key_ : random_key());
    if (!done)
      return fail(done.error());
    if (quiet_)
      for (const submitted& job : *done)
        c.print(std::to_string(job.id) + "\n");
    return tell(c, *done);
  }

  result<int> tell(context& c, const std::vector<submitted>& done) {
    std::vector<std::int64_t> ids, made;
    json entries = json::array();
    for (const submitted& job : done) {
      ids.push_back(job.id);
      if (!job.existing)
        made.push_back(job.id);
      if (c.wants_json())
        entries.push_back(entry_of(job));
    }
    if (!quiet_ && c.wants_json() && !wait_ && !follow_)
      c.print_json(to_text({{"jobs", std::move(entries)}}));
    else if (!quiet_ && !c.wants_json())
      say(c, count_of(static_cast<std::int64_t>(made.size()), "job", "jobs") + " queued" +
                 (made.empty() ? "" : ": " + id_ranges(made)) +
                 (made.size() < ids.size() ? "; " + std::to_string(ids.size() - made.size()) + " there already" : "") + "\n");
    return wait_ || follow_ ? stay(c, ids) : exit_completed;
  }

  static json entry_of(const submitted& job) {
    json entry{{"id", job.id}, {"position", job.position ? json(*job.position) : json()}};
    if (!job.waiting_for.empty())
      entry["waiting_for"] = job.waiting_for;
    if (job.existing)
      entry["existing"] = true;
    return entry;
  }

  // Until all have ended.
  result<int> stay(context& c, const std::vector<std::int64_t>& ids) {
    if (auto written = c.flush(); !written)
      return fail(written.error());
    leave_on_interrupt(ids);
    c.daemon().set_patience(std::chrono::minutes(1));
    int status = exit_completed;
    std::string documents;
    for (const std::int64_t id : ids) {
      const auto job = follow_ ? follow_job(c, id, 0) : wait_for_job(c, id);
      if (!job)
        return fail(job.error());
      if (const int ended = exit_status_of_job(*job); ended != 0)
        status = ids.size() == 1 ? ended : exit_not_completed;
      if (c.wants_json())
        documents += (documents.empty() ? "" : ",") + to_text(*job);
      else if (!quiet_)
        say(c, job_line(*job, wall_clock_now()) + "\n");
      if (auto written = c.flush(); !written)
        return fail(written.error());
    }
    if (c.wants_json() && !quiet_)
      c.print_json(from_ ? "[" + documents + "]" : documents);
    return status;
  }

  result<int> run_one(context& c) {
    auto params = job_.parameters();
    if (!params)
      return fail(params.error());
    const auto base = job_options::base_directory(*job_.type);
    if (!base)
      return fail(base.error());
    return run_directly(c, {.type = *job_.type, .params = std::move(*params), .base_dir = *base});
  }

  result<int> run_file(context& c) {
    const auto all = bulk();
    if (!all)
      return fail(all.error());
    job_lines lines(all->file, all->base);
    if (auto opened = lines.open(); !opened)
      return fail(opened.error());
    for (int status = exit_completed;;) {
      auto job = lines.next();
      if (!job)
        return fail(job.error());
      if (job->is_null())
        return status;
      json params = job->value("params", json::object());
      if (text_field(*job, "type") == "command" && params.is_object() && !params.contains("cwd"))
        params["cwd"] = all->directory;
      auto ended = run_directly(c, {.type = text_field(*job, "type"), .params = std::move(params), .base_dir = all->directory});
      if (!ended)
        return ended;
      if (*ended != 0)
        status = exit_not_completed;
    }
  }

  job_options job_;
  std::int64_t delay_seconds_ = 0;
  bool quiet_ = false, held_ = false, dry_run_ = false, wait_ = false, follow_ = false;
  std::optional<std::int64_t> priority_;
  std::optional<std::string> name_, from_, key_, in_, after_;
  std::optional<std::string> on_needs_failure_, group_, unique_, user_;
  std::vector<std::string> sweeps_, needs_, on_;
  std::map<std::string, std::string> labels_; // of `on_`
  std::vector<std::int64_t> needed_;
};

} // namespace

std::unique_ptr<action> make_submit() { return std::make_unique<submit>(); }

} // namespace ferry::cli
