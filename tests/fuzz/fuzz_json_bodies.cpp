// Any bytes as the body of a request: a submit, an edit of parameters, an upload; up to the point where the queue would be asked.
#include "config/settings.hpp"
#include "http/messages.hpp"
#include "http/request_bodies.hpp"
#include "scheduling/admission.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace ferry;
using namespace ferry::http;

namespace {

const config::settings& settings() {
  static const config::settings made = *config::parse(R"(
[job_types.draw]
command = ["draw", "{params.source}", "{params.steps}"]
[job_types.draw.parameters]
required = ["source"]
[job_types.draw.parameters.properties]
source = { type = "string", format = "job-result", maxLength = 4096 }
steps = { type = "integer", minimum = 1, maximum = 100, default = 20 }
size = { enum = ["small", "large"], default = "small" }
weights = { type = "object", additionalProperties = { type = "number" } }
items = { type = "array", maxItems = 20, uniqueItems = true, items = { type = ["string", "null"] } }
tag = { type = "string", pattern = "^[a-z]+(-[a-z]+)*$", maxLength = 40 }
)",
                                                      "/fuzz/ferry.toml");
  return made;
}

void try_job(json& object, const std::string& where) {
  static const std::vector<device> devices{{.id = "cpu", .name = "host", .slots = 4, .memory_mib = 1000}};
  auto job = job_request_from(object, where);
  if (!job)
    return;
  const auto admitted = scheduling::admit(std::move(*job), {settings(), devices});
  if (!admitted)
    return;
  // What is admitted is stored as text, and read again.
  const auto params = json::parse(admitted->params);
  must(params.is_object());
  const auto again = scheduling::admit_params(params, json::object(), *admitted->type, "/");
  must(again.has_value());
}

} // namespace

void ferry::fuzz(std::string_view bytes) {
  auto body = parse_object(bytes);
  if (!body)
    return;
  (void)json_response(200, *body);
  if (const auto plan = upload_plan_from(*body))
    for (const auto& part : plan->path)
      must(part != ".." && part.find('/') == std::string::npos);
  for (const auto& type : settings().job_types)
    (void)scheduling::admit_params({{"source", "/a"}, {"argv", {"true"}}}, *body, type, "/");
  if (body->contains("jobs") && (*body)["jobs"].is_array())
    for (std::size_t i = 0; i < std::min<std::size_t>((*body)["jobs"].size(), 100); ++i)
      try_job((*body)["jobs"][i], "/jobs/" + std::to_string(i));
  try_job(*body, {});
}
