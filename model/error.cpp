#include "model/error.hpp"

namespace ferry {

std::string_view to_string(error_code code) {
  switch (code) {
  case error_code::invalid_argument: return "invalid_argument";
  case error_code::not_found: return "not_found";
  case error_code::conflict: return "conflict";
  case error_code::too_large: return "too_large";
  case error_code::unauthorized: return "unauthorized";
  case error_code::forbidden: return "forbidden";
  case error_code::disk_full: return "disk_full";
  case error_code::unavailable: return "unavailable";
  case error_code::damaged: return "damaged";
  case error_code::out_of_memory: return "out_of_memory";
  case error_code::locked: return "locked";
  case error_code::newer_version: return "newer_version";
  case error_code::io: return "io";
  case error_code::internal: return "internal";
  }
  return "internal";
}

std::string to_string(const error& e) {
  std::string text = e.what;
  if (!e.hint.empty())
    text += " (" + e.hint + ")";
  for (const problem& p : e.problems) {
    text += "\n  ";
    if (!p.file.empty()) {
      text += p.file;
      if (p.line > 0)
        text += ":" + std::to_string(p.line);
      text += ": ";
    }
    if (!p.where.empty())
      text += p.where + ": ";
    text += p.what;
    if (!p.hint.empty())
      text += " (" + p.hint + ")";
  }
  return text;
}

} // namespace ferry
