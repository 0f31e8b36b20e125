// The actions of `ferry certs`: what is made or read, and how it is told.
#pragma once

#include "cli/certs_request.hpp"
#include "cli/verb.hpp"
#include "model/time.hpp"

namespace ferry::cli {

// The exit status: 1 where a certificate that was shown has expired.
[[nodiscard]] result<int> perform_certs(context& c, const certs_request& wanted, instant now);

} // namespace ferry::cli
