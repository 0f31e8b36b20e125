#include "cli/direct_run.hpp"
#include "cli/verbs/job_options.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class run_job final : public action {
public:
  void declare(arguments& a) override {
    job_.declare(a, true);
    a.text("-o,--output", output_, "DIR", "the job's directory; a temporary one otherwise", value_kind::directory);
    a.text("-c,--config", config_, "FILE",
           "the configuration; default $FERRY_CONFIG, ~/.config/ferry/ferry.toml, /etc/ferry/ferry.toml", value_kind::file);
    a.text("--device", device_, "ID", "cpu, or a GPU's UUID; default the first GPU where the job type wants one");
  }

  result<int> run(context& c) override {
    auto params = job_.parameters();
    if (!params)
      return fail(params.error());
    const auto base = job_options::base_directory(*job_.type);
    if (!base)
      return fail(base.error());
    return run_directly(c, {.type = *job_.type,
                            .params = std::move(*params),
                            .config_file = config_,
                            .output = output_,
                            .base_dir = *base,
                            .device = device_});
  }

private:
  job_options job_;
  std::optional<std::string> output_, config_, device_;
};

} // namespace

std::unique_ptr<action> make_run() { return std::make_unique<run_job>(); }

} // namespace ferry::cli
