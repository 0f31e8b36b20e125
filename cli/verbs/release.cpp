#include "cli/each_job.hpp"
#include "cli/each_type.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class release final : public action {
public:
  void declare(arguments& a) override {
    a.jobs("ID", ids_, "which jobs", false);
    a.text("-t,--type", type_, "TYPE", "all jobs of this type instead", value_kind::job_type);
  }
  result<int> run(context& c) override {
    return type_ ? post_to_type(c, *type_, ids_, "release") : post_to_each_job(c, ids_, "release");
  }

private:
  std::vector<std::int64_t> ids_;
  std::optional<std::string> type_;
};

} // namespace

std::unique_ptr<action> make_release() { return std::make_unique<release>(); }

} // namespace ferry::cli
