#include "cli/simulate/csv_reader.hpp"

#include "config/limits.hpp"

namespace ferry::cli {

result<std::optional<std::vector<std::string>>> csv_reader::next() {
  std::vector<std::string> fields(1);
  bool quoted = false, any = false;
  std::size_t bytes = 0;
  line_ = next_line_;
  for (int c = in_.get(); c != std::istream::traits_type::eof(); c = in_.get()) {
    if (++bytes > limits::trace_line_bytes_max)
      return fail(error_code::invalid_argument,
                  "the line is longer than " + std::to_string(limits::trace_line_bytes_max) + " bytes");
    next_line_ += c == '\n' ? 1 : 0;
    if (quoted) {
      if (c != '"')
        fields.back().push_back(static_cast<char>(c));
      else if (in_.peek() == '"')
        fields.back().push_back(static_cast<char>(in_.get()));
      else
        quoted = false;
    } else if (c == '"' && fields.back().empty()) {
      quoted = any = true;
    } else if (c == ',') {
      fields.emplace_back();
      any = true;
    } else if (c == '\n') {
      if (any)
        return fields;
      line_ = next_line_;
      bytes = 0;
    } else if (c != '\r' || in_.peek() != '\n') {
      fields.back().push_back(static_cast<char>(c));
      any = true;
      if (line_ == 1 && fields.size() == 1 && fields.back() == "\xEF\xBB\xBF") {
        fields.back().clear();
        any = false;
      }
    }
  }
  if (quoted)
    return fail(error_code::invalid_argument, "a quote is not closed");
  return any ? std::optional(std::move(fields)) : std::nullopt;
}

std::string csv_field(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == field.npos)
    return field;
  std::string text = "\"";
  for (const char c : field)
    text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

} // namespace ferry::cli
