#include "cli/each_job.hpp"
#include "cli/each_type.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class hold final : public action {
public:
  void declare(arguments& a) override {
    a.jobs("ID", ids_, "which jobs", false);
    a.text("-t,--type", type_, "TYPE", "all jobs of this type instead", value_kind::job_type);
  }
  result<int> run(context& c) override { return type_ ? post_to_type(c, *type_, ids_, "hold") : post_to_each_job(c, ids_, "hold"); }

private:
  std::vector<std::int64_t> ids_;
  std::optional<std::string> type_;
};

} // namespace

std::unique_ptr<action> make_hold() { return std::make_unique<hold>(); }

} // namespace ferry::cli
