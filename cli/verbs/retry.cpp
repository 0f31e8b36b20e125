#include "cli/each_job.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class retry final : public action {
public:
  void declare(arguments& a) override {
    a.jobs("ID", ids_, "which jobs");
    a.flag("--from-scratch", from_scratch_, "from the beginning: do not continue from their checkpoints");
  }
  result<int> run(context& c) override {
    return post_to_each_job(c, ids_, "retry", from_scratch_ ? R"({"from_scratch":true})" : "");
  }

private:
  std::vector<std::int64_t> ids_;
  bool from_scratch_ = false;
};

} // namespace

std::unique_ptr<action> make_retry() { return std::make_unique<retry>(); }

} // namespace ferry::cli
