#include "remote/messages.hpp"

#include "model/version.hpp"

#include <caf/config.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>

namespace ferry::remote {

std::vector<std::string> application_identifiers() {
  return {"ferry " + std::to_string(protocol_version) + " over CAF " + std::to_string(CAF_MAJOR_VERSION) + "." +
          std::to_string(CAF_MINOR_VERSION) + "." + std::to_string(CAF_PATCH_VERSION)};
}

namespace {

error_code code_named(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(error_code::internal); ++i)
    if (const auto code = static_cast<error_code>(i); to_string(code) == name)
      return code;
  return error_code::internal;
}

} // namespace

refusal to_refusal(const error& e) {
  refusal r{.code = std::string(to_string(e.code)), .what = e.what, .hint = e.hint, .problems = {}};
  for (const problem& p : e.problems)
    r.problems.push_back(p.where + ": " + p.what + (p.hint.empty() ? "" : " (" + p.hint + ")"));
  return r;
}

error to_error(const refusal& r) {
  error e{code_named(r.code), r.what, r.hint, {}};
  for (const auto& line : r.problems) {
    const auto colon = line.find(": ");
    e.problems.push_back(colon == line.npos ? problem{"", line, {}} : problem{line.substr(0, colon), line.substr(colon + 2), {}});
  }
  return e;
}

void register_messages() {
  caf::init_global_meta_objects<caf::id_block::ferry_remote>();
  caf::openssl::manager::init_global_meta_objects();
  caf::io::middleman::init_global_meta_objects();
}

} // namespace ferry::remote
