#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs/verbs.hpp"

namespace ferry::cli {
namespace {

class clear final : public action {
public:
  void declare(arguments& a) override {
    a.choice("-s,--status", status_, "STATUS", {"completed", "failed", "cancelled"}, true,
             "of these states only (several with commas)");
  }

  result<int> run(context& c) override {
    json what = json::object();
    if (status_)
      for (std::size_t at = 0; at <= status_->size();) {
        const auto end = std::min(status_->find(',', at), status_->size());
        what["status"].push_back(status_->substr(at, end - at));
        at = end + 1;
      }
    auto body = c.call({.method = "POST", .path = "/queue/clear", .body = to_text(what)});
    if (!body)
      return fail(body.error());
    if (c.wants_json())
      c.print_json(*body);
    else
      c.print(count_of(integer_field(json::parse(*body, nullptr, false), "cleared").value_or(0), "job", "jobs") +
              " cleared; they can still be shown by id\n");
    return exit_completed;
  }

private:
  std::optional<std::string> status_;
};

} // namespace

std::unique_ptr<action> make_clear() { return std::make_unique<clear>(); }

} // namespace ferry::cli
