#include "cli/daemon_views.hpp"

#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "model/device.hpp"
#include "model/time.hpp"

namespace ferry::cli {
namespace {

std::string memory_cell(const json& device) {
  const auto leased = integer_field(device, "memory_leased_mib"), used = integer_field(device, "memory_used_mib"),
             total = integer_field(device, "memory_mib");
  if (!total)
    return "";
  std::string text = mebibytes(leased.value_or(0)) + " leased";
  if (used)
    text += ", " + mebibytes(*used) + " used";
  return text + " of " + mebibytes(*total);
}

// "integer 1–100", "string: fast, slow": what a property's schema says in a few words.
std::string shape_of(const json& schema) {
  std::string shape;
  if (const auto choices = schema.find("enum"); choices != schema.end() && choices->is_array()) {
    for (const json& choice : *choices)
      shape += (shape.empty() ? "" : ", ") + (choice.is_string() ? choice.get<std::string>() : to_text(choice));
    return "one of " + shape;
  }
  const json type = schema.value("type", json());
  shape = type.is_string() ? type.get<std::string>() : type.is_array() ? to_text(type) : "any";
  if (shape == "array" && schema.contains("items"))
    shape += " of " + shape_of(schema["items"]);
  const auto bound = [&](const char* key) { return schema.contains(key) ? to_text(schema[key]) : std::string(); };
  if (const auto least = bound("minimum"), most = bound("maximum"); !least.empty() || !most.empty())
    shape += (least.empty() ? "" : " from " + least) + (most.empty() ? "" : " to " + most);
  if (const auto format = text_field(schema, "format"); !format.empty())
    shape += " (" + format + ")";
  return shape;
}

// Those of x-order, then the others by name.
std::vector<std::string> names_in_order(const json& schema, const json& properties) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (properties.contains(name) && std::ranges::find(names, name) == names.end())
      names.push_back(name);
  };
  for (const json& name : array_field(schema, "x-order"))
    if (name.is_string())
      add(name.get<std::string>());
  for (const auto& [name, unused] : properties.items())
    add(name);
  return names;
}

void add_properties(table& t, const json& schema, const std::string& prefix) {
  const json& required = array_field(schema, "required");
  const json& properties = object_field(schema, "properties");
  for (const std::string& name : names_in_order(schema, properties)) {
    const json& property = properties.at(name);
    if (!property.is_object())
      continue;
    const bool needed = std::ranges::find(required, json(name)) != required.end();
    t.add({{prefix + name},
           {shape_of(property)},
           {property.contains("default") ? to_text(property["default"])
            : needed                     ? "required"
                                         : "",
            needed && !property.contains("default") ? tone::yellow : tone::plain},
           {text_field(property, "description")}});
    add_properties(t, property, prefix + name + ".");
  }
}

} // namespace

std::string status_page(const json& answer, const style& look) {
  const json& counts = object_field(answer, "counts");
  const std::string dot = look.unicode ? " · " : ", ";
  const auto counted = [&](std::initializer_list<const char*> keys) {
    std::string text;
    for (const char* key : keys)
      text += (text.empty() ? "" : dot) + with_commas(integer_field(counts, key).value_or(0)) + " " + key;
    return text;
  };
  const auto up = duration(static_cast<std::int64_t>(number_field(answer, "uptime_seconds").value_or(0) * 1000));
  std::string page = look.paint("ferryd " + printable(text_field(answer, "version")), tone::bold) + ", pid " +
                     std::to_string(integer_field(answer, "pid").value_or(0)) + ", up " + to_words(up) + ", data in " +
                     printable(text_field(answer, "data_dir")) + "\n";
  page += counted({"running", "queued", "held"});
  if (true_field(answer, "paused"))
    page += dot + look.paint("paused", tone::yellow) + ": nothing new is started until `ferry unpause`";
  page += "\n" + counted({"completed", "failed", "cancelled"}) + "\n";

  table devices({{"DEVICE", false, 8}, {"NAME", false, 12}, {"SLOTS", true}, {"MEMORY"}, {"LOAD", true}, {"TEMP", true}});
  for (const json& device : array_field(answer, "devices")) {
    const auto load = integer_field(device, "utilization_percent"), warmth = integer_field(device, "temperature_c");
    devices.add({{text_field(device, "id")},
                 {text_field(device, "name")},
                 {std::to_string(integer_field(device, "slots_used").value_or(0)) + "/" +
                  std::to_string(integer_field(device, "slots").value_or(0))},
                 {memory_cell(device)},
                 {load ? std::to_string(*load) + "%" : ""},
                 {warmth ? std::to_string(*warmth) + (look.unicode ? " °C" : " C") : ""}});
  }
  if (!devices.empty())
    page += "\n" + devices.render(look);
  for (const json& device : array_field(answer, "devices"))
    if (const auto why = text_field(device, "out_of_service"); !why.empty())
      page += look.paint("out of service:", tone::red) + " " + printable(text_field(device, "id")) + ": " + printable(why) + "\n";
  for (const json& device : array_field(answer, "devices")) {
    std::string labels;
    for (const auto& [name, value] : object_field(device, "labels").items())
      if (name != node_label && value.is_string())
        labels += (labels.empty() ? " " : ", ") + printable(name) + "=" + printable(value.get<std::string>());
    if (!labels.empty())
      page += "labels: " + printable(text_field(device, "id")) + ":" + labels + "\n";
  }
  for (const auto& [type, why] : object_field(answer, "held_types").items())
    page += look.paint("held:", tone::yellow) + " type " + printable(type) + ": " +
            printable(why.is_string() ? why.get<std::string>() : "") + "; `ferry release --type " + printable(type) + "`\n";
  for (const json& note : array_field(answer, "notes"))
    if (note.is_string())
      page += look.paint("note:", tone::yellow) + " " + printable(note.get<std::string>()) + "\n";
  return page;
}

std::string groups_page(const json& groups, const style& look) {
  table t({{"GROUP", false, 10}, {"QUEUED", true}, {"RUNNING", true}, {"PARALLEL", true}, {"PAUSED"}});
  for (const json& group : groups) {
    const auto parallel = integer_field(group, "parallel").value_or(0);
    t.add({{text_field(group, "name")},
           {with_commas(integer_field(group, "queued").value_or(0))},
           {with_commas(integer_field(group, "running").value_or(0))},
           {parallel > 0 ? with_commas(parallel) : "any"},
           {true_field(group, "paused") ? "paused" : "", tone::yellow}});
  }
  return t.empty() ? "no groups\n" : t.render(look);
}

std::string group_line(const json& group) {
  const auto parallel = integer_field(group, "parallel").value_or(0);
  return "group " + printable(text_field(group, "name")) + (true_field(group, "paused") ? " is paused; " : " runs ") +
         (parallel > 0 ? "at most " + count_of(parallel, "job", "jobs") + " at once" : "any number of jobs at once") + "; " +
         with_commas(integer_field(group, "running").value_or(0)) + " running, " +
         with_commas(integer_field(group, "queued").value_or(0)) + " queued\n";
}

std::string types_page(const json& answer, const style& look) {
  table t({{"TYPE", false, 10}, {"DEVICE"}, {"SLOTS", true}, {"MEMORY", true}, {"LIMIT", true}, {"DESCRIPTION", false, 12}});
  for (const json& type : array_field(answer, "job_types")) {
    const auto memory = integer_field(type, "memory_mib").value_or(0), limit = integer_field(type, "max_run_seconds").value_or(0);
    t.add({{text_field(type, "name")},
           {text_field(type, "device")},
           {std::to_string(integer_field(type, "slots").value_or(1))},
           {memory > 0 ? mebibytes(memory) : ""},
           {limit > 0 ? to_words(std::chrono::seconds(limit)) : ""},
           {text_field(type, "description")}});
  }
  return t.render(look);
}

std::string type_page(const json& type, const style& look) {
  std::string page = look.paint(printable(text_field(type, "name")), tone::bold);
  if (const auto description = printable(text_field(type, "description")); !description.empty())
    page += "  " + description;
  page += "\n";
  const auto memory = integer_field(type, "memory_mib").value_or(0), limit = integer_field(type, "max_run_seconds").value_or(0);
  page += "  runs on " + printable(text_field(type, "device")) + ", takes " +
          count_of(integer_field(type, "slots").value_or(1), "slot", "slots");
  if (memory > 0)
    page += " and " + mebibytes(memory);
  if (limit > 0)
    page += ", for at most " + to_words(std::chrono::seconds(limit));
  page += "\n";
  table t({{"PARAMETER"}, {"VALUE", false, 12}, {"DEFAULT", false, 8}, {"", false, 12}});
  add_properties(t, object_field(type, "parameters"), "");
  return t.empty() ? page : page + "\n" + t.render(look);
}

} // namespace ferry::cli
