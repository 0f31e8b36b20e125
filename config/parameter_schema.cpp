#include "config/parameter_schema.hpp"

#include "config/limits.hpp"
#include "config/schema_check.hpp"
#include "config/schema_defaults.hpp"
#include "config/schema_violations.hpp"
#include "config/text.hpp"

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include <limits>

namespace ferry::config {

struct parameter_schema::compiled {
  json source = json::object();
  checked_schema checked;
  default_plan defaults;
  valijson::Schema judge;
  bool accepts_all = false;
};

namespace {

// Finds what no schema can speak of, and adds up an upper bound of the size as JSON.
class plain_check {
public:
  explicit plain_check(std::vector<problem>& problems) : problems_(problems) {}
  void walk(const json& value, const std::string& at, std::size_t depth);
  [[nodiscard]] std::size_t bytes_at_most() const { return bytes_; }

private:
  void report(const std::string& at, std::string what) {
    if (problems_.size() < limits::problems_max)
      problems_.push_back({at, std::move(what), {}});
  }
  void text(const std::string& s, const std::string& at);

  std::vector<problem>& problems_;
  std::size_t bytes_ = 0;
};

bool is_utf8(const std::string& s) {
  try {
    static_cast<void>(json(s).dump());
    return true;
  } catch (const json::exception&) { return false; }
}

void plain_check::text(const std::string& s, const std::string& at) {
  bytes_ += 2;
  bool ascii = true;
  for (const char c : s) {
    const auto byte = static_cast<unsigned char>(c);
    ascii = ascii && byte < 0x80;
    bytes_ += byte < 0x20 || c == '"' || c == '\\' || c == 0x7F ? 6 : 1;
  }
  if (s.find('\0') != std::string::npos)
    report(at, "must not hold a NUL character, is \"" + shortened(s) + "\"");
  if (!ascii && !is_utf8(s))
    report(at, "must be UTF-8");
}

void plain_check::walk(const json& value, const std::string& at, std::size_t depth) {
  if (depth > limits::json_depth_max) {
    report(shortened(at), "is nested more than " + std::to_string(limits::json_depth_max) + " deep");
    return;
  }
  constexpr std::size_t number_bytes_max = 26;
  bytes_ += number_bytes_max;
  if (value.is_string()) {
    text(value.get_ref<const std::string&>(), at);
  } else if (value.is_array()) {
    std::size_t i = 0;
    for (const json& item : value)
      walk(item, item.is_structured() || item.is_string() ? at + "/" + std::to_string(i++) : (++i, at), depth + 1);
  } else if (value.is_object()) {
    for (auto it = value.begin(); it != value.end(); ++it) {
      const std::string member_at = at + "/" + pointer_token(it.key());
      if (it.key().size() > limits::member_name_bytes_max)
        report(shortened(member_at), "must have a name of at most " + std::to_string(limits::member_name_bytes_max) +
                                         " bytes, has " + std::to_string(it.key().size()));
      else
        text(it.key(), member_at);
      walk(it.value(), member_at, depth + 1);
    }
  } else if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    report(at, "must be a number of at most " + std::to_string(std::numeric_limits<std::int64_t>::max()) + ", is " + shown(value));
  } else if (value.is_binary() || value.is_discarded()) {
    report(at, "is not JSON");
  }
}

// What holds for any parameters. Errors: invalid_argument with problems, too_large.
result<void> check_plain(const json& params) {
  error e{error_code::invalid_argument, "the parameters are not valid", {}, {}};
  plain_check check(e.problems);
  check.walk(params, "", 0);
  if (!e.problems.empty())
    return fail(std::move(e));
  if (check.bytes_at_most() <= limits::params_bytes_max)
    return {};
  if (const std::size_t bytes = params.dump().size(); bytes > limits::params_bytes_max)
    return fail(error_code::too_large,
                "the parameters are too large: at most " + std::to_string(limits::params_bytes_max) + " bytes as JSON, are " +
                    std::to_string(bytes),
                "put large data into a file and name the file");
  return {};
}

bool judge_accepts(const valijson::Schema& schema, const json& value, valijson::ValidationResults* why = nullptr) {
  // A validator keeps compiled patterns, so one serves a thread; only patterns of the configuration come in.
  thread_local valijson::Validator validator(valijson::Validator::kStrongTypes);
  try {
    const valijson::adapters::NlohmannJsonAdapter target(value);
    return validator.validate(schema, target, why);
  } catch (const std::exception&) { return false; }
}

} // namespace

parameter_schema::parameter_schema() {
  static const auto any = [] {
    auto c = std::make_shared<compiled>();
    c->source = {{"type", "object"}, {"additionalProperties", true}};
    c->checked.normal = c->source;
    c->accepts_all = true;
    return c;
  }();
  compiled_ = any;
}

result<parameter_schema> parameter_schema::compile(const json& schema) {
  auto checked = check_schema(schema);
  if (!checked)
    return fail(std::move(checked.error()));
  auto c = std::make_shared<compiled>();
  c->source = schema;
  c->checked = std::move(*checked);
  c->defaults = default_plan(c->checked.normal);
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(c->checked.normal), c->judge);
  } catch (const std::exception& e) {
    return fail(error{error_code::invalid_argument, "the parameters' schema is not valid", {}, {{"", e.what(), {}}}});
  }
  parameter_schema out;
  out.compiled_ = std::move(c);
  return out;
}

result<json> parameter_schema::validate(json params) const {
  const compiled& c = *compiled_;
  error e{error_code::invalid_argument, "the parameters are not valid", {}, {}};
  if (!params.is_object()) {
    e.problems.push_back({"", "must be an object, are " + shown(params), {}});
    return fail(std::move(e));
  }
  // First of all: what follows relies on bounded depth and clean text.
  if (auto plain = check_plain(params); !plain)
    return fail(std::move(plain.error()));
  if (c.accepts_all)
    return params;
  c.defaults.fill(params, c.checked.patterns);
  if (judge_accepts(c.judge, params)) {
    if (!c.defaults.is_empty())
      if (auto plain = check_plain(params); !plain)
        return fail(std::move(plain.error()));
    return params;
  }
  e.problems = violations(c.checked.normal, c.checked.patterns, params);
  if (e.problems.empty()) {
    valijson::ValidationResults why;
    static_cast<void>(judge_accepts(c.judge, params, &why));
    for (const auto& fault : why)
      e.problems.push_back({"", shortened(fault.description, 300), {}});
    if (e.problems.empty())
      e.problems.push_back({"", "do not fit the job type's schema", {}});
  }
  return fail(std::move(e));
}

presence parameter_schema::presence_of(std::string_view dotted_path) const {
  const json* at = &compiled_->checked.normal;
  presence found = presence::always;
  for (;;) {
    const std::size_t dot = dotted_path.find('.');
    const std::string name(dotted_path.substr(0, dot));
    if (!at->is_object())
      return presence::sometimes;
    const auto properties = at->find("properties");
    if (properties == at->end() || !properties->contains(name)) {
      const bool open = at->value("additionalProperties", json(true)) != json(false) || at->contains("patternProperties");
      return open ? presence::sometimes : presence::never;
    }
    const json& property = properties->at(name);
    const json required = at->value("required", json::array());
    const bool sure = (property.is_object() && property.contains("default")) ||
                      std::find(required.begin(), required.end(), name) != required.end();
    // A default may also stand in a branch; whether it always applies is the schema author's business.
    const bool branches = at->contains("if") || at->contains("allOf");
    if (!sure && !branches)
      found = presence::sometimes;
    if (dot == std::string_view::npos)
      return found;
    at = &property;
    dotted_path.remove_prefix(dot + 1);
  }
}

namespace {

void collect_paths(const json& schema, const std::string& prefix, std::vector<std::string>& out) {
  if (!schema.is_object() || !schema.contains("properties"))
    return;
  for (const auto& [name, sub] : schema.at("properties").items()) {
    out.push_back(prefix + name);
    collect_paths(sub, prefix + name + ".", out);
  }
}

} // namespace

std::vector<std::string> parameter_schema::property_paths() const {
  std::vector<std::string> paths;
  collect_paths(compiled_->checked.normal, "", paths);
  return paths;
}

const std::vector<std::string>& parameter_schema::job_result_paths() const { return compiled_->checked.job_result_paths; }

const json& parameter_schema::source() const { return compiled_->source; }

} // namespace ferry::config
