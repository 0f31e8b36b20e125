#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/simulate/schedule_picture.hpp"
#include "cli/simulate/simulation_report.hpp"
#include "cli/verbs/verbs.hpp"
#include "config/limits.hpp"
#include "config/text.hpp"

#include <charconv>
#include <cmath>
#include <fstream>
#include <iostream>
#include <set>

namespace ferry::cli {
namespace {

using scheduling::simulated_policy;

// Columns may be given one by one or with commas between them.
std::vector<std::string> names_in(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const std::string& word : words)
    for (std::size_t at = 0; at <= word.size();) {
      const auto end = std::min(word.find(',', at), word.size());
      if (end > at)
        names.push_back(word.substr(at, end - at));
      at = end + 1;
    }
  return names;
}

result<double> number_of(const std::optional<std::string>& word, const char* option, double otherwise, double most) {
  if (!word)
    return otherwise;
  double value = 0;
  const auto [end, fault] = std::from_chars(word->data(), word->data() + word->size(), value);
  if (fault != std::errc{} || end != word->data() + word->size() || !(value >= 0 && value <= most))
    return fail(error_code::invalid_argument, std::string(option) + " must be a number from 0 to " +
                                                  std::to_string(static_cast<std::int64_t>(most)) + ", is \"" +
                                                  config::shortened(*word) + "\"");
  return value;
}

simulated_policy policy_from(std::string_view name) {
  return name == "fair"    ? simulated_policy::fair
         : name == "fifo"  ? simulated_policy::fifo
         : name == "known" ? simulated_policy::known
                           : simulated_policy::learned;
}

result<void> write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out)
    return fail(error_code::io, "cannot write " + path);
  return {};
}

class simulate final : public action {
public:
  void declare(arguments& a) override {
    a.positional("TRACE", file_, value_kind::file, "a table (CSV) with a row a job; - reads standard input");
    a.text("--arrival", columns_.arrival, "COLUMN", "when jobs arrive: seconds or a time (default: arrival)");
    a.text("--duration", columns_.duration, "COLUMN", "seconds that they take, without loading (default: duration)");
    a.text("--type", columns_.type, "COLUMN", "their job type (default: type, where there is one)");
    a.text("--user", columns_.user, "COLUMN", "whose they are (default: user, where there is one)");
    a.text("--priority", columns_.priority, "COLUMN", "their priority (default: priority, where there is one)");
    a.list("--where", where_, "COLUMN=VALUE", "only rows with that value");
    a.list("--warm-key", warm_key_, "COLUMN", "what a worker has to have loaded: jobs that differ in it cost a load");
    a.list("--same", same_, "COLUMN", "what has to be equal in the jobs of a batch");
    a.list("--estimate", estimate_, "COLUMN", "what durations depend on");
    a.list("--hint", hint_, "COLUMN", "what they depend on a little: lengths of texts");
    a.integer("--devices", devices_, "NUMBER", "devices, each for one batch and one model at a time (default 1)", 1,
              limits::simulated_devices_max);
    a.text("--load", load_, "SECONDS", "what loading takes (default 0)");
    a.text("--price", price_, "SHARE", "what a further job in a batch costs: 0 nothing, 1 as much as alone (default 0.5)");
    a.integer("--max-items", max_items_, "NUMBER", "jobs in a batch (default 8 with --same, else 1)", 1, limits::batch_items_max);
    a.text("--overtaking", overtaking_, "SECONDS", "how much later than those they pass jobs may have come (default 120)");
    a.text("--keep-alive", keep_alive_, "SECONDS", "how long a worker stays without work (default: until its device is needed)");
    a.choice(
        "--policy", policies_, "POLICY", {"learned", "fair", "known", "fifo"}, true,
        "learned (default): as the daemon decides for one user; fair: for several, who take turns; known: learned with perfect\n"
        "estimates; fifo; several with commas");
    a.text("--svg", svg_, "FILE", "draw the schedule of the first policy", value_kind::file);
    a.text("--csv", csv_, "FILE", "write the schedule of the first policy", value_kind::file);
  }

  result<int> run(context& c) override {
    scheduling::simulation day;
    if (auto settled = settle(day); !settled)
      return fail(settled.error());
    auto read = read_file();
    if (!read)
      return fail(read.error());
    for (const std::string& name : read->types) {
      day.types.push_back(type_);
      day.types.back().name = name;
    }
    if (read->in_parts > 0)
      c.note(count_of(static_cast<std::int64_t>(read->in_parts), "job", "jobs") +
             " ran in parts; here each is played as one run, as long as all of its parts\n");
    day.jobs = std::move(read->jobs);
    std::vector<simulated> all;
    for (const std::string& name : names_in({policies_.value_or("learned")})) {
      day.policy = policy_from(name);
      auto played = scheduling::play(day);
      if (!played)
        return fail(played.error());
      all.push_back({name, scheduling::summarize(day, *played), type_.batch.overtaking});
      if (all.size() > 1)
        continue;
      if (svg_)
        if (auto written = write_file(*svg_, schedule_picture(day, *played, *file_ + ", policy " + name)); !written)
          return fail(written.error());
      if (csv_)
        if (auto written = write_file(*csv_, schedule_csv(*read, day, *played)); !written)
          return fail(written.error());
    }
    const auto ahead = scheduling::one_job_ahead(day);
    if (c.wants_json())
      c.print_json(to_text(simulation_json(all, ahead)));
    else
      c.print(simulation_table(all, ahead, c.out()));
    return exit_completed;
  }

private:
  // What the options say of devices, types and columns.
  result<void> settle(scheduling::simulation& day) {
    const auto load = number_of(load_, "--load", 0, limits::run_seconds_max);
    const auto price = number_of(price_, "--price", 0.5, 100);
    const auto overtaking = number_of(overtaking_, "--overtaking", 120, limits::run_seconds_max);
    const auto keep_alive = number_of(keep_alive_, "--keep-alive", limits::trace_seconds_max * 2.0, limits::run_seconds_max);
    for (const auto* value : {&load, &price, &overtaking, &keep_alive})
      if (!*value)
        return fail(value->error());
    const auto ms = [](double seconds) { return duration{std::llround(seconds * 1000)}; };
    day.load = ms(*load);
    day.price = *price;
    type_.worker.warm_key = names_in(warm_key_);
    type_.runner = type_.worker.warm_key.empty() ? config::runner_kind::process : config::runner_kind::worker;
    type_.worker.keep_alive = ms(*keep_alive);
    type_.device = config::device_choice::gpu;
    type_.memory_mib = 1;
    type_.batch.same = names_in(same_);
    type_.batch.max_items = static_cast<int>(max_items_.value_or(same_.empty() ? 1 : 8));
    type_.batch.overtaking = ms(*overtaking);
    type_.estimate = {.parameters = names_in(estimate_), .hints = names_in(hint_)};
    for (std::int64_t i = 0; i < devices_.value_or(1); ++i)
      day.devices.push_back(
          {.id = "gpu" + std::to_string(i), .kind = device_kind::gpu, .name = "simulated", .slots = 1, .memory_mib = 1});
    std::set<std::string> parameters;
    for (const auto* names : {&type_.worker.warm_key, &type_.batch.same, &type_.estimate.parameters, &type_.estimate.hints}) {
      if (names->size() > limits::estimate_parameters_max)
        return fail(error_code::invalid_argument,
                    "at most " + std::to_string(limits::estimate_parameters_max) + " columns in one option");
      parameters.insert(names->begin(), names->end());
    }
    columns_.parameters.assign(parameters.begin(), parameters.end());
    for (const std::string& word : where_) {
      const auto equals = word.find('=');
      if (equals == word.npos || equals == 0)
        return fail(error_code::invalid_argument, "--where must be COLUMN=VALUE, is \"" + config::shortened(word) + "\"");
      columns_.where.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
    return {};
  }

  [[nodiscard]] result<trace> read_file() const {
    if (*file_ == "-")
      return read_trace(std::cin, "standard input", columns_);
    std::ifstream in(*file_, std::ios::binary);
    if (!in)
      return fail(error_code::not_found, "cannot read " + *file_);
    return read_trace(in, *file_, columns_);
  }

  std::optional<std::string> file_, load_, price_, overtaking_, keep_alive_, policies_, svg_, csv_;
  std::optional<std::int64_t> devices_, max_items_;
  std::vector<std::string> where_, warm_key_, same_, estimate_, hint_;
  trace_columns columns_;
  config::job_type type_;
};

} // namespace

std::unique_ptr<action> make_simulate() { return std::make_unique<simulate>(); }

} // namespace ferry::cli
