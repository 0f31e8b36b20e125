#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "cli/verbs/verbs.hpp"
#include "config/limits.hpp"

#include <algorithm>
#include <iostream>
#include <unistd.h>

namespace ferry::cli {
namespace {

class datasets final : public action {
public:
  void declare(arguments& a) override {
    a.positional("ACTION", action_, value_kind::text, "list (the default), show, create or remove", false);
    a.suggest({"list", "show", "create", "remove"});
    a.positional("NAME", name_, value_kind::dataset, "which dataset", false);
    a.positional("PATH", paths_, value_kind::text, "with remove: these files of it, not all", false);
    a.integer("-n,--limit", limit_, "N", "with show: how many files; default all", 1, limits::dataset_files_max);
    a.flag("-y,--yes", yes_, "remove without being asked");
    a.flag("-q,--quiet", quiet_, "print names, or the paths of files on the daemon's machine, alone");
  }

  result<int> run(context& c) override {
    const std::string what = action_.value_or("list");
    if (what != "list" && what != "show" && what != "create" && what != "remove")
      return fail(error_code::invalid_argument, "ACTION must be list, show, create or remove, is \"" + printable(what) + "\"",
                  "`ferry datasets show " + printable(what) + "` shows the files of a dataset of that name");
    if (what == "list" && name_)
      return fail(error_code::invalid_argument, "list takes no NAME",
                  "`ferry datasets show " + printable(*name_) + "` shows its files");
    if (what != "list" && !name_)
      return fail(error_code::invalid_argument, "NAME is missing: which dataset");
    if (what != "remove" && (!paths_.empty() || yes_))
      return fail(error_code::invalid_argument, yes_ ? "--yes goes with remove" : "PATH goes with remove");
    if (limit_ && what != "show")
      return fail(error_code::invalid_argument, "--limit goes with show");
    if (what == "list")
      return list(c);
    if (what == "show")
      return show(c);
    return what == "create" ? create(c) : remove(c);
  }

private:
  [[nodiscard]] std::string base() const { return "/datasets/" + query_escape(*name_); }

  result<int> list(context& c) const {
    const auto answer = c.ask({.method = "GET", .path = "/datasets"});
    if (!answer)
      return fail(answer.error());
    if (c.wants_json() && !quiet_) {
      c.print_json(to_text(*answer));
      return exit_completed;
    }
    table rows({{"NAME", false, 20}, {"FILES", true}, {"SIZE", true}, {"MODIFIED"}, {"PATH", false, 20}});
    for (const json& one : array_field(*answer, "datasets")) {
      if (quiet_)
        c.print(printable(text_field(one, "name")) + "\n");
      const std::string more = true_field(one, "is_whole") ? "" : "+";
      const auto modified = time_field(one, "modified");
      rows.add({{text_field(one, "name"), tone::bold},
                {with_commas(integer_field(one, "files").value_or(0)) + more},
                {bytes(integer_field(one, "bytes").value_or(0)) + more},
                {modified ? local_time(*modified) : ""},
                {text_field(one, "path"), tone::dim}});
    }
    if (!quiet_)
      c.print(rows.empty() ? "no datasets; `ferry upload FILE… --dataset NAME` makes one\n" : rows.render(c.out()));
    return exit_completed;
  }

  // As many requests as it takes.
  result<json> files(context& c) const {
    const std::int64_t limit = limit_.value_or(limits::dataset_files_max);
    const auto page = [&](std::int64_t offset) {
      const std::int64_t most = std::min<std::int64_t>(limit - offset, limits::page_rows_max);
      return c.ask({.method = "GET", .path = base() + "?offset=" + std::to_string(offset) + "&limit=" + std::to_string(most)});
    };
    auto all = page(0);
    while (all) {
      const auto have = static_cast<std::int64_t>(array_field(*all, "files").size());
      if (have >= std::min(limit, integer_field(*all, "total").value_or(0)))
        break;
      auto next = page(have);
      if (!next)
        return next;
      if (array_field(*next, "files").empty()) // they have become fewer meanwhile
        break;
      for (json& one : (*next)["files"])
        (*all)["files"].push_back(std::move(one));
    }
    return all;
  }

  result<int> show(context& c) const {
    const auto answer = files(c);
    if (!answer)
      return fail(answer.error());
    if (c.wants_json() && !quiet_) {
      c.print_json(to_text(*answer));
      return exit_completed;
    }
    const std::string folder = text_field(*answer, "path");
    const json& shown = array_field(*answer, "files");
    table rows({{"PATH", false, 20}, {"SIZE", true}, {"TYPE"}});
    for (const json& one : shown) {
      if (quiet_)
        c.print(printable(folder + "/" + text_field(one, "path")) + "\n");
      rows.add({{text_field(one, "path")},
                {bytes(integer_field(one, "bytes").value_or(0))},
                {text_field(one, "media_type"), tone::dim}});
    }
    if (quiet_)
      return exit_completed;
    const auto total = integer_field(*answer, "total").value_or(0);
    const std::string more = true_field(*answer, "is_whole") ? "" : " or more";
    c.print(printable(*name_) + ", " + count_of(total, "file", "files") + more + ", in " + printable(folder) + "\n");
    c.print(rows.render(c.out()));
    if (static_cast<std::int64_t>(shown.size()) < total)
      c.print(count_of(total - static_cast<std::int64_t>(shown.size()), "more", "more") + "\n");
    return exit_completed;
  }

  result<int> create(context& c) const {
    const auto body = body_from({{"name", *name_}});
    if (!body)
      return fail(body.error());
    const auto answer = c.ask({.method = "POST", .path = "/datasets", .body = *body});
    if (!answer)
      return fail(answer.error());
    if (quiet_)
      c.print(text_field(*answer, "path") + "\n");
    else if (c.wants_json())
      c.print_json(to_text(*answer));
    else
      c.print("the dataset " + printable(*name_) + " is " + printable(text_field(*answer, "path")) + "\n");
    return exit_completed;
  }

  // Asks on a terminal; elsewhere nobody can answer, so it has to be said beforehand.
  result<bool> is_meant(context& c) const {
    if (yes_)
      return true;
    if (!is_terminal(STDIN_FILENO) || !is_terminal(STDERR_FILENO))
      return fail(error_code::invalid_argument, "nothing is removed without being asked for on a terminal", "--yes removes it");
    std::string what = count_of(static_cast<std::int64_t>(paths_.size()), "file", "files") + " of the dataset " + printable(*name_);
    if (paths_.empty()) {
      const auto known = c.ask({.method = "GET", .path = base() + "?limit=1"});
      if (!known)
        return fail(known.error());
      what =
          "the dataset " + printable(*name_) + " with its " + count_of(integer_field(*known, "total").value_or(0), "file", "files");
    }
    c.note("remove " + what + " for good? [y/N] ");
    std::string said;
    std::getline(std::cin, said);
    return said == "y" || said == "Y" || said == "yes";
  }

  result<int> remove(context& c) const {
    const auto meant = is_meant(c);
    if (!meant)
      return fail(meant.error());
    if (!*meant) {
      c.note("nothing was removed\n");
      return exit_not_completed;
    }
    json removed = json::array();
    std::vector<std::string> places;
    for (const std::string& path : paths_) {
      std::string place = base() + "/files";
      for (std::size_t at = 0; at <= path.size();) {
        const auto end = std::min(path.find('/', at), path.size());
        place += "/" + query_escape(path.substr(at, end - at));
        at = end + 1;
      }
      places.push_back(std::move(place));
    }
    if (places.empty())
      places.push_back(base());
    for (const std::string& place : places) {
      auto answer = c.ask({.method = "DELETE", .path = place});
      if (!answer)
        return fail(answer.error());
      removed.push_back(std::move(*answer));
    }
    if (c.wants_json())
      c.print_json(to_text(removed.size() == 1 ? removed.front() : removed));
    else if (!quiet_)
      c.print((paths_.empty() ? "the dataset " + printable(*name_) + " is"
                              : count_of(static_cast<std::int64_t>(paths_.size()), "file is", "files are")) +
              " removed\n");
    return exit_completed;
  }

  std::optional<std::string> action_, name_;
  std::vector<std::string> paths_;
  std::optional<std::int64_t> limit_;
  bool yes_ = false, quiet_ = false;
};

} // namespace

std::unique_ptr<action> make_datasets() { return std::make_unique<datasets>(); }

} // namespace ferry::cli
