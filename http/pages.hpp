// The page: files that are built into the daemon, and the way to a cookie.
#pragma once

#include "http/access.hpp"
#include "http/messages.hpp"

#include <span>
#include <string_view>

namespace ferry::http {

struct page_file {
  std::string_view path; // "/assets/app-1a2b3c.js"
  std::string_view type; // of its content
  std::string_view etag; // quoted
  std::string_view bytes;
  std::string_view gzipped; // empty: it would not be smaller
};
// By path. Made of the built page by cmake/embed_page.cmake.
[[nodiscard]] std::span<const page_file> page_files();

// Whether a request asks for a file of the page, not for the API. `target`: as sent, with its query.
[[nodiscard]] bool is_page_target(std::string_view target);
// GET or HEAD of a path outside of the API. `who`: checks a token in the query; null: none is needed. Errors: not_found,
// invalid_argument.
[[nodiscard]] result<response> answer_page(const request_head& head, const access* who);
// Headers that every answer has: what a browser may do with it, and that it is not to be guessed what it is.
void add_security_headers(response& answer);

} // namespace ferry::http
