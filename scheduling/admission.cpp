#include "scheduling/admission.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"
#include "scheduling/batch_traits.hpp"
#include "scheduling/job_results.hpp"
#include "scheduling/named_groups.hpp"

#include <algorithm>

namespace ferry::scheduling {
namespace {

// A NUL byte would silently end an argument of a program; it is refused wherever it stands.
bool holds_nul(const json& value) {
  if (value.is_string())
    return value.get_ref<const std::string&>().find('\0') != std::string::npos;
  if (value.is_structured())
    return std::any_of(value.begin(), value.end(), [](const json& inner) { return holds_nul(inner); });
  return false;
}

error unknown_type(const std::string& name, const config::settings& settings) {
  std::vector<std::string> known;
  for (const auto& type : settings.job_types)
    known.push_back(type.name);
  const auto close = config::nearest(name, known);
  return error{error_code::invalid_argument,
               "there is no job type '" + name.substr(0, 64) + "'",
               close.empty() ? "see `ferry types`" : "did you mean '" + close + "'?",
               {}};
}

// Serialized parameters, or why they cannot be stored.
result<std::string> serialize(const json& params) {
  if (holds_nul(params))
    return fail(error_code::invalid_argument, "the parameters hold a NUL byte, which no program can be given");
  std::string text;
  try {
    text = params.dump();
  } catch (const json::exception&) { return fail(error_code::invalid_argument, "the parameters hold text that is not UTF-8"); }
  if (text.size() > limits::params_bytes_max)
    return fail(error_code::too_large,
                "the parameters take " + std::to_string(text.size()) + " bytes; at most " +
                    std::to_string(limits::params_bytes_max) + " are allowed",
                "put large data into a file and give its path");
  return text;
}

void collect(error& all, const error& e, const std::string& where) {
  if (e.code == error_code::too_large && all.problems.empty())
    all.code = error_code::too_large;
  if (e.problems.empty())
    all.problems.push_back({where, e.what, e.hint});
  for (problem p : e.problems) {
    p.where = where + p.where;
    all.problems.push_back(std::move(p));
  }
}

// What the job needs, ascending and each once; faults are named by their place in the list.
std::vector<job_id> checked_needs(std::vector<job_id> needs, const needed_states* known, std::vector<problem>& faults) {
  if (needs.size() > limits::needs_max) {
    faults.push_back(
        {"/needs",
         "names " + std::to_string(needs.size()) + " jobs; at most " + std::to_string(limits::needs_max) + " are allowed",
         {}});
    return {};
  }
  for (std::size_t i = 0; i < needs.size(); ++i)
    if (!known || !known->contains(needs[i]))
      faults.push_back({"/needs/" + std::to_string(i), "there is no job " + to_string(needs[i]), {}});
  std::sort(needs.begin(), needs.end());
  needs.erase(std::unique(needs.begin(), needs.end()), needs.end());
  return needs;
}

// That one run of it takes.
int items_at_once(const config::job_type& type, const json& params) {
  const auto traits = traits_of(type, params);
  return traits.is_divisible ? std::min(traits.items, type.batch.max_items) : traits.items;
}

} // namespace

demand demand_of(const config::job_type& type, int items, std::shared_ptr<const device_selector> on) {
  return {.device = type.device,
          .slots = type.slots,
          .memory_mib = type.memory_mib + std::int64_t{items} * type.batch.memory_mib_per_item,
          .type = type.name,
          .on = std::move(on)};
}

std::shared_ptr<const device_selector> shared(const device_selector& selector) {
  return selector.is_empty() ? nullptr : std::make_shared<const device_selector>(selector);
}

std::int64_t memory_of_found_worker(const config::job_type& type, std::int64_t at_start_mib, const device& on) {
  return std::max(at_start_mib, std::min(demand_of(type, type.batch.max_items).memory_mib, on.memory_mib));
}

result<void> check_placeable(const config::job_type& type, const json& params, const std::vector<device>& devices,
                             std::shared_ptr<const device_selector> on) {
  if (const auto why = why_unplaceable(devices, demand_of(type, items_at_once(type, params), std::move(on))))
    return fail(error_code::invalid_argument, "a job of so many items can never run here: " + *why);
  return {};
}

result<void> check_priority(int priority) {
  if (priority < priority_min || priority > priority_max)
    return fail(error_code::invalid_argument, "priority must be from 0 to 100, is " + std::to_string(priority));
  return {};
}

result<void> check_label(std::string_view key, const std::string& text, std::size_t bytes_max) {
  if (text.size() > bytes_max)
    return fail(error_code::too_large, std::string(key) + " takes " + std::to_string(text.size()) + " bytes; at most " +
                                           std::to_string(bytes_max) + " are allowed");
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return fail(error_code::invalid_argument, std::string(key) + " holds a control character");
  return {};
}

result<void> check_selector(const device_selector& selector) {
  if (selector.labels.size() > limits::labels_max)
    return fail(error_code::invalid_argument, "names " + std::to_string(selector.labels.size()) + " labels; at most " +
                                                  std::to_string(limits::labels_max) + " are allowed");
  for (const auto& [name, value] : selector.labels) {
    if (!is_label_name(name) || name.size() > limits::label_name_bytes_max)
      return fail(error_code::invalid_argument, "'" + config::shortened(name) +
                                                    "' cannot be a label: a-z, then a-z, 0-9, _ and -, at most " +
                                                    std::to_string(limits::label_name_bytes_max) + " bytes");
    if (value.empty())
      return fail(error_code::invalid_argument, "the label " + name + " has no value");
    if (auto checked = check_label("the value of " + name, value, limits::label_value_bytes_max); !checked)
      return checked;
  }
  return {};
}

result<void> check_base_dir(const std::string& base_dir) {
  if (base_dir.empty() || base_dir.front() == '/')
    return {};
  return fail(error_code::invalid_argument, "base_dir must be an absolute path, is '" + config::shortened(base_dir) + "'");
}

result<std::string> admit_params(json current, const json& patch, const config::job_type& type, const std::string& base_dir) {
  if (const auto ok = check_base_dir(base_dir); !ok)
    return fail(ok.error());
  if (!patch.is_object())
    return fail(error_code::invalid_argument, "params must be an object");
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null())
      current.erase(key);
    else
      current[key] = value;
  }
  make_absolute(current, type.parameters.job_result_paths(), base_dir);
  auto valid = type.parameters.validate(std::move(current));
  if (!valid) {
    for (problem& p : valid.error().problems)
      p.where = "/params" + p.where; // as in a submit
    return fail(std::move(valid.error()));
  }
  return serialize(*valid);
}

result<admitted_job> admit(job_request request, const admission_rules& rules) {
  const config::job_type* type = rules.settings.find_job_type(request.type);
  if (!type)
    return fail(unknown_type(request.type, rules.settings));
  error faults{error_code::invalid_argument, "the job cannot be queued", {}, {}};
  if (const auto ok = check_priority(request.priority); !ok)
    collect(faults, ok.error(), "/priority");
  if (const auto ok = check_label("name", request.name); !ok)
    collect(faults, ok.error(), "/name");
  if (const auto ok = check_base_dir(request.base_dir); !ok)
    collect(faults, ok.error(), "/base_dir");
  if (const auto ok = request.group.empty() ? result<void>{} : check_group_name(request.group); !ok)
    collect(faults, ok.error(), "/group");
  if (const auto ok = request.user ? check_user_name(*request.user) : result<void>{}; !ok)
    collect(faults, ok.error(), "/user");
  if (const auto ok = check_label("unique_key", request.unique_key, limits::unique_key_bytes_max); !ok)
    collect(faults, ok.error(), "/unique_key");
  if (request.delay.count() < 0 || request.delay > std::chrono::seconds(limits::delay_seconds_max))
    faults.problems.push_back({"/delay_seconds", "must be from 0 to " + std::to_string(limits::delay_seconds_max), {}});
  const auto on = shared(request.on);
  if (const auto ok = check_selector(request.on); !ok)
    collect(faults, ok.error(), "/on");
  else if (const auto why = why_unplaceable(rules.devices, demand_of(*type)))
    faults.problems.push_back({"/type", "'" + type->name + "' can never run here: " + *why, {}});
  else if (const auto why_not_there = why_unplaceable(rules.devices, demand_of(*type, 1, on)))
    faults.problems.push_back({"/on", "'" + type->name + "' can never run there: " + *why_not_there, {}});

  admitted_job job{.type = type,
                   .params = {},
                   .priority = request.priority,
                   .name = std::move(request.name),
                   .held = request.held,
                   .delay = request.delay,
                   .resumed_from = request.resumed_from,
                   .needs = checked_needs(std::move(request.needs), rules.needed, faults.problems),
                   .on_needs_failure = request.on_needs_failure,
                   .group = std::move(request.group),
                   .unique_key = std::move(request.unique_key),
                   .user = std::move(request.user).value_or(""),
                   .on = std::move(request.on)};
  if (request.params.is_null())
    request.params = json::object();
  if (request.params.is_object())
    make_absolute(request.params, type->parameters.job_result_paths(), request.base_dir);
  if (!request.params.is_object())
    faults.problems.push_back({"/params", "must be an object", {}});
  else if (auto valid = type->parameters.validate(std::move(request.params)); !valid)
    collect(faults, valid.error(), "/params");
  else if (auto placeable = check_placeable(*type, *valid, rules.devices, on); !placeable && faults.problems.empty())
    collect(faults, placeable.error(), "/params");
  else if (auto text = serialize(*valid); !text)
    collect(faults, text.error(), "/params");
  else
    job.params = std::move(*text);
  if (!faults.problems.empty())
    return fail(std::move(faults));
  return job;
}

result<std::vector<admitted_job>> admit_all(std::vector<job_request> requests, std::size_t queued, const admission_rules& rules) {
  if (requests.empty())
    return fail(error_code::invalid_argument, "there is no job in the request");
  if (requests.size() > limits::jobs_per_request_max)
    return fail(error_code::too_large, "the request holds " + std::to_string(requests.size()) + " jobs; at most " +
                                           std::to_string(limits::jobs_per_request_max) + " are allowed");
  if (queued + requests.size() > limits::queued_jobs_max)
    return fail(error_code::too_large, "the queue is full: it holds " + std::to_string(queued) + " of at most " +
                                           std::to_string(limits::queued_jobs_max) + " jobs");
  std::vector<admitted_job> admitted;
  admitted.reserve(requests.size());
  error faults{error_code::invalid_argument, "the request cannot be queued", {}, {}};
  const bool single = requests.size() == 1;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto job = admit(std::move(requests[i]), rules);
    if (job)
      admitted.push_back(std::move(*job));
    else if (single)
      return fail(std::move(job.error()));
    else
      collect(faults, job.error(), "/jobs/" + std::to_string(i));
  }
  if (!faults.problems.empty())
    return fail(std::move(faults));
  return admitted;
}

} // namespace ferry::scheduling
