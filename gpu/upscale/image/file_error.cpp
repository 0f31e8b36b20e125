#include "gpu/upscale/image/file_error.hpp"

#include <cerrno>
#include <system_error>

namespace ferry::upscale {
namespace {

error_code code_of(int system_error) {
  switch (system_error) {
  case ENOSPC:
  case EDQUOT: return error_code::disk_full;
  case ENOENT:
  case ENOTDIR: return error_code::not_found;
  case EACCES:
  case EPERM:
  case EISDIR:
  case EROFS:
  case ENAMETOOLONG:
  case ELOOP: return error_code::invalid_argument;
  case ENOMEM: return error_code::out_of_memory;
  default: return error_code::io;
  }
}

std::string hint_for(error_code code) {
  switch (code) {
  case error_code::disk_full: return "make room, or write to another disk";
  case error_code::not_found: return "check the path";
  default: return {};
  }
}

} // namespace

error file_error(const std::filesystem::path& file, const std::string& what, int system_error) {
  const error_code code = code_of(system_error);
  return {code, file.string() + " " + what + ": " + std::generic_category().message(system_error), hint_for(code)};
}

} // namespace ferry::upscale
