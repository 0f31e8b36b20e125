#include "cli/verb.hpp"

#include "cli/json_text.hpp"
#include "cli/text.hpp"
#include "config/settings.hpp"

#include <cstdlib>
#include <unistd.h>

namespace ferry::cli {

context::context() : out_(style_of(STDOUT_FILENO)), err_(style_of(STDERR_FILENO)) {}

result<void> context::settle() {
  const char* variable = std::getenv("FERRY_FORMAT");
  const std::string chosen = format ? *format : variable ? variable : "";
  if (!chosen.empty() && chosen != "json" && chosen != "table")
    return fail(error_code::invalid_argument, "FERRY_FORMAT must be json or table, is \"" + printable(chosen) + "\"");
  json_ = chosen == "json";
  return {};
}

client& context::daemon() {
  if (!daemon_)
    daemon_ = std::make_unique<client>(socket ? std::filesystem::path(*socket) : config::default_socket());
  return *daemon_;
}

result<std::string> context::call(const request& what) {
  auto answer = daemon().send(what);
  if (!answer)
    return fail(answer.error());
  return std::move(answer->body);
}

result<json> context::ask(const request& what) {
  auto body = call(what);
  if (!body)
    return fail(body.error());
  json document = json::parse(*body, nullptr, false);
  if (!document.is_object())
    return fail(error_code::internal, "the daemon's answer to " + what.method + " " + what.path + " is not a JSON object");
  return document;
}

void context::print(std::string_view text) { pending_ += text; }

void context::print_json(std::string_view text) {
  if (!is_terminal(STDOUT_FILENO)) {
    while (text.ends_with('\n'))
      text.remove_suffix(1);
    pending_ += text;
  } else {
    pending_ += json_for_terminal(text);
  }
  pending_ += '\n';
}

result<void> context::flush() {
  const std::string text = std::exchange(pending_, {});
  return write_all(STDOUT_FILENO, text);
}

void context::note(std::string_view text) {
  // Where even standard error cannot be written to, nobody is left to tell.
  (void)write_all(STDERR_FILENO, text);
}

void context::report(const error& e) {
  if (json_) {
    note(error_document(e) + "\n");
    return;
  }
  error safe = e;
  for (std::string* text : {&safe.what, &safe.hint})
    *text = printable(*text);
  for (problem& p : safe.problems)
    for (std::string* text : {&p.where, &p.what, &p.hint, &p.file})
      *text = printable(*text);
  note(err_.paint("ferry:", tone::red) + " " + to_string(safe) + "\n");
}

} // namespace ferry::cli
