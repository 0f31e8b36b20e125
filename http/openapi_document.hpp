// The API for programs: http/openapi.json, which is built into the daemon.
#pragma once

#include <string_view>

namespace ferry::http {

[[nodiscard]] std::string_view openapi_document();

} // namespace ferry::http
