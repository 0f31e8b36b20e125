// What the bodies of requests say, before the queue is asked: shapes and types, not whether it may be done.
#pragma once

#include "http/upload_placing.hpp"
#include "model/job.hpp"

#include <string>

namespace ferry::http {

// One job of a submit; takes its parameters. `where` names it in errors: "/jobs/3". Errors: invalid_argument.
[[nodiscard]] result<job_request> job_request_from(json& object, const std::string& where);
// The begin of an upload. Errors: invalid_argument.
[[nodiscard]] result<upload_plan> upload_plan_from(const json& body);

} // namespace ferry::http
