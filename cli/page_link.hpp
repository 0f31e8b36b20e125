// The page of the daemon, and the browser that shows it.
#pragma once

#include "cli/verb.hpp"

#include <string>

namespace ferry::cli {

struct page_address {
  std::string url;  // "http://127.0.0.1:7878"
  std::string link; // with the token of the daemon's owner
};

// Where the page is, by the answer of GET /status. Errors: unavailable where the daemon does not listen on TCP; unauthorized where
// the token cannot be read.
[[nodiscard]] result<page_address> page_link(const json& status);

// Waits until the browser has taken it. False: there is no program for that, or it could not open the address.
[[nodiscard]] bool open_in_browser(const std::string& link);

} // namespace ferry::cli
