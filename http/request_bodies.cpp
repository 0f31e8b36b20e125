#include "http/request_bodies.hpp"

#include "config/limits.hpp"
#include "config/text.hpp"
#include "http/messages.hpp"

#include <algorithm>
#include <chrono>
#include <initializer_list>

namespace ferry::http {
namespace {

result<needs_rule> rule_from(const json& object, const std::string& where) {
  const auto name = string_member(object, "on_needs_failure", where);
  if (!name)
    return fail(name.error());
  if (!*name)
    return needs_rule::hold;
  const auto rule = needs_rule_from(**name);
  if (!rule)
    return fail(error_code::invalid_argument,
                where + "on_needs_failure must be hold, cancel or start, is '" + config::shortened(**name) + "'");
  return *rule;
}

// The labels of the devices that a job may run on.
result<device_selector> selector_member(const json& object, const std::string& where) {
  const auto found = object.find("on");
  if (found == object.end() || found->is_null())
    return device_selector{};
  const bool is_text = found->is_object() && std::all_of(found->begin(), found->end(), [](const json& v) { return v.is_string(); });
  if (!is_text)
    return fail(error_code::invalid_argument, where + "on must be an object of labels and their values, all text");
  return device_selector_from(*found);
}

} // namespace

result<job_request> job_request_from(json& object, const std::string& where) {
  if (!object.is_object())
    return fail(error_code::invalid_argument, (where.empty() ? "a job" : where) + " must be an object");
  if (auto known = check_keys(object,
                              {"type", "params", "priority", "name", "held", "delay_seconds", "base_dir", "needs",
                               "on_needs_failure", "group", "unique_key", "user", "on"},
                              where);
      !known)
    return fail(known.error());
  const auto prefix = where.empty() ? where : where + "/";
  auto type = string_member(object, "type", prefix);
  auto name = string_member(object, "name", prefix);
  const auto priority = priority_member(object, prefix);
  const auto held = boolean_member(object, "held", prefix);
  const auto delay = integer_member(object, "delay_seconds", prefix);
  auto base_dir = string_member(object, "base_dir", prefix);
  auto needs = job_ids_member(object, "needs", prefix);
  const auto rule = rule_from(object, prefix);
  auto group = string_member(object, "group", prefix);
  auto unique_key = string_member(object, "unique_key", prefix);
  auto user = string_member(object, "user", prefix);
  auto on = selector_member(object, prefix);
  for (const error* e : std::initializer_list<const error*>{
           on ? nullptr : &on.error(), type ? nullptr : &type.error(), name ? nullptr : &name.error(),
           priority ? nullptr : &priority.error(), held ? nullptr : &held.error(), delay ? nullptr : &delay.error(),
           base_dir ? nullptr : &base_dir.error(), needs ? nullptr : &needs.error(), rule ? nullptr : &rule.error(),
           group ? nullptr : &group.error(), unique_key ? nullptr : &unique_key.error(), user ? nullptr : &user.error()})
    if (e)
      return fail(*e);
  if (!*type)
    return fail(error_code::invalid_argument, prefix + "type is missing", "see `ferry types`");
  job_request request{.type = std::move(**type),
                      .priority = priority->value_or(priority_default),
                      .name = name->value_or(""),
                      .held = held->value_or(false),
                      // What is too large for milliseconds is out of the bound that admission names, too.
                      .delay =
                          std::chrono::seconds(std::clamp<std::int64_t>(delay->value_or(0), -1, limits::delay_seconds_max + 1)),
                      .base_dir = base_dir->value_or(""),
                      .needs = std::move(*needs),
                      .on_needs_failure = *rule,
                      .group = group->value_or(""),
                      .unique_key = unique_key->value_or(""),
                      .user = std::move(*user),
                      .on = std::move(*on)};
  if (const auto params = object.find("params"); params != object.end())
    request.params = std::move(*params);
  return request;
}

namespace {

constexpr std::size_t sha256_digits = 64;

// As it is told, in lower case; empty where it is not.
result<std::string> sha256_member(const json& body) {
  auto told = string_member(body, "sha256");
  if (!told || !*told)
    return told ? result<std::string>(std::string()) : fail(told.error());
  std::string digest = **told;
  std::transform(digest.begin(), digest.end(), digest.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (digest.size() != sha256_digits || digest.find_first_not_of("0123456789abcdef") != std::string::npos)
    return fail(error_code::invalid_argument, "sha256 must have 64 hexadecimal digits, is '" + config::shortened(**told) + "'");
  return digest;
}

result<void> read_place(const json& body, upload_plan& plan) {
  const auto dataset = string_member(body, "dataset");
  const auto path = string_member(body, "path");
  if (!dataset || !path)
    return fail(dataset ? path.error() : dataset.error());
  if (!*dataset)
    return *path ? fail(error_code::invalid_argument, "path goes with dataset: an input has a name alone") : result<void>();
  if (auto valid = check_file_name(**dataset, "dataset"); !valid)
    return valid;
  auto parts = split_path(path->value_or(plan.name), "path");
  if (!parts)
    return fail(parts.error());
  plan.dataset = **dataset;
  plan.path = std::move(*parts);
  return {};
}

} // namespace

result<upload_plan> upload_plan_from(const json& body) {
  if (auto known = check_keys(body, {"name", "bytes", "sha256", "dataset", "path"}); !known)
    return fail(known.error());
  const auto name = string_member(body, "name");
  const auto bytes = integer_member(body, "bytes");
  auto digest = sha256_member(body);
  if (!name || !bytes || !digest)
    return fail(!name ? name.error() : !bytes ? bytes.error() : digest.error());
  if (!*name || !*bytes)
    return fail(error_code::invalid_argument, *name ? "bytes is missing: the size of the file" : "name is missing");
  if (**bytes < 0)
    return fail(error_code::invalid_argument, "bytes must be at least 0, is " + std::to_string(**bytes));
  if (auto valid = check_file_name(**name, "name"); !valid)
    return fail(valid.error());
  upload_plan plan{
      .name = **name, .bytes = static_cast<std::uint64_t>(**bytes), .sha256 = std::move(*digest), .dataset = {}, .path = {}};
  if (auto read = read_place(body, plan); !read)
    return fail(read.error());
  return plan;
}

} // namespace ferry::http
