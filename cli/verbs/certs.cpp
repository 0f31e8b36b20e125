#include "cli/certs_request.hpp"
#include "cli/verbs/verbs.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace ferry::cli {
namespace {

// The program beside this one does it, so that `ferry` itself needs no OpenSSL.
class certs final : public action {
public:
  void declare(arguments& a) override { wanted_.declare(a); }

  result<int> run(context& c) override {
    if (auto checked = wanted_.check(); !checked)
      return fail(checked.error());
    std::error_code failed;
    std::string program = (std::filesystem::read_symlink("/proc/self/exe", failed).parent_path() / "ferry-certs").string();
    auto words = wanted_.words();
    if (c.format)
      words.insert(words.begin(), {"--format", *c.format});
    words.insert(words.begin(), program);
    std::vector<char*> pointers;
    for (std::string& word : words)
      pointers.push_back(word.data());
    pointers.push_back(nullptr);
    if (auto written = c.flush(); !written)
      return fail(written.error());
    ::execv(program.c_str(), pointers.data());
    const int why = errno;
    return fail(error_code::io, "cannot start " + program + ": " + std::generic_category().message(why),
                "ferry-certs is installed beside ferry");
  }

private:
  certs_request wanted_;
};

} // namespace

std::unique_ptr<action> make_certs() { return std::make_unique<certs>(); }

} // namespace ferry::cli
