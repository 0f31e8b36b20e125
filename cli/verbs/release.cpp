#include "cli/each_job.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class release final : public action {
public:
  void declare(arguments& a) override { a.jobs("ID", ids_, "which jobs"); }
  result<int> run(context& c) override { return post_to_each_job(c, ids_, "release"); }

private:
  std::vector<std::int64_t> ids_;
};

} // namespace

std::unique_ptr<action> make_release() { return std::make_unique<release>(); }

} // namespace ferry::cli
