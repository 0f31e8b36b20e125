#include "cli/download.hpp"
#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/table.hpp"
#include "cli/text.hpp"
#include "cli/transfer_line.hpp"
#include "cli/verbs/verbs.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <fnmatch.h>
#include <unistd.h>

namespace ferry::cli {
namespace {

namespace fs = std::filesystem;

// A whole path, a folder with all below it, or a pattern (`*.png`, of which * takes in slashes too).
bool is_meant(const std::string& path, std::string chosen) {
  while (chosen.ends_with('/'))
    chosen.pop_back();
  return path == chosen || path.starts_with(chosen + "/") || ::fnmatch(chosen.c_str(), path.c_str(), 0) == 0;
}

std::string escaped_path(const std::string& path) {
  std::string text;
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    text += "/" + query_escape(path.substr(at, end - at));
    at = end + 1;
  }
  return text;
}

class artifacts final : public action {
public:
  void declare(arguments& a) override {
    a.job("ID", id_, "of which job");
    a.positional("PATH", paths_, value_kind::text, "only these: whole paths, folders, or patterns such as '*.png'", false);
    a.flag("-g,--get", get_, "fetch them");
    a.text("--to", to_, "DIR", "with --get: the folder that they come into; default this one", value_kind::directory);
    a.text("--tar", tar_, "FILE", "fetch all of them as one archive; - is standard output", value_kind::file);
    a.flag("-f,--force", force_, "replace files that are there");
    a.flag("-q,--quiet", quiet_, "print paths alone, one a line: those listed, or those that the files have here");
  }

  result<int> run(context& c) override {
    if (tar_ && (get_ || to_ || !paths_.empty()))
      return fail(error_code::invalid_argument, "--tar fetches all files, and goes with neither PATH nor --get nor --to");
    if (!get_ && (to_ || (force_ && !tar_)))
      return fail(error_code::invalid_argument, to_ ? "--to goes with --get" : "--force goes with --get or --tar");
    if (tar_)
      return fetch_archive(c);
    auto answer = c.ask({.method = "GET", .path = base()});
    if (!answer)
      return fail(answer.error());
    auto chosen = choose(array_field(*answer, "artifacts"));
    if (!chosen)
      return fail(chosen.error());
    const bool is_whole = true_field(*answer, "is_whole");
    if (get_)
      return fetch(c, *chosen, is_whole);
    (*answer)["artifacts"] = std::move(*chosen);
    list(c, *answer, is_whole);
    return exit_completed;
  }

private:
  [[nodiscard]] std::string base() const { return "/jobs/" + std::to_string(id_) + "/artifacts"; }

  [[nodiscard]] result<json> choose(const json& all) const {
    if (paths_.empty())
      return all;
    json chosen = json::array();
    std::vector<bool> found(paths_.size());
    std::vector<std::string> known;
    for (const json& one : all) {
      const std::string path = text_field(one, "path");
      known.push_back(path);
      bool meant = false;
      for (std::size_t i = 0; i < paths_.size(); ++i)
        if (is_meant(path, paths_[i]))
          found[i] = meant = true;
      if (meant)
        chosen.push_back(one);
    }
    for (std::size_t i = 0; i < paths_.size(); ++i)
      if (!found[i])
        return fail(error_code::not_found, "job " + std::to_string(id_) + " has no file " + printable(paths_[i]),
                    config::did_you_mean(paths_[i], known));
    return chosen;
  }

  void list(context& c, const json& answer, bool is_whole) const {
    const json& files = array_field(answer, "artifacts");
    if (quiet_) {
      for (const json& one : files)
        c.print(printable(text_field(one, "path")) + "\n");
      return;
    }
    if (c.wants_json()) {
      c.print_json(to_text(answer));
      return;
    }
    table rows({{"PATH", false, 20}, {"SIZE", true}, {"MODIFIED"}, {"TYPE"}});
    for (const json& one : files) {
      const auto modified = time_field(one, "modified");
      rows.add({{text_field(one, "path")},
                {bytes(integer_field(one, "bytes").value_or(0))},
                {modified ? local_time(*modified) : ""},
                {text_field(one, "media_type"), tone::dim}});
    }
    c.print(rows.empty() ? "job " + std::to_string(id_) + " has no files\n" : rows.render(c.out()));
    if (!is_whole)
      c.note("there are more files than can be listed\n");
  }

  result<int> fetch(context& c, const json& chosen, bool is_whole) const {
    if (!is_whole)
      c.note("there are more files than can be listed; those are not fetched\n");
    c.daemon().set_patience(std::chrono::minutes(1));
    transfer_display display(is_terminal(STDERR_FILENO) && !quiet_ && !c.wants_json(), c.err(), chosen.size());
    json done = json::array();
    for (const json& one : chosen) {
      const std::string path = text_field(one, "path");
      const auto relative = safe_relative_path(path);
      if (!relative)
        return fail(relative.error());
      const fs::path file = fs::path(to_.value_or(".")) / *relative;
      display.begin(path);
      const auto fetched = download_file(c,
                                         {.path = base() + escaped_path(path),
                                          .to = file,
                                          .bytes = integer_field(one, "bytes").value_or(0),
                                          .modified = time_field(one, "modified"),
                                          .replace = force_},
                                         [&](std::int64_t there, std::int64_t total) { display.show(there, total); });
      display.clear();
      if (!fetched)
        return fail(fetched.error());
      const std::string shown = file.lexically_normal().string();
      done.push_back({{"path", path}, {"file", shown}, {"bytes", one["bytes"]}, {"fetched", *fetched}});
      if (quiet_)
        c.print(shown + "\n");
      else if (!c.wants_json())
        c.print(printable(shown) + " (" + bytes(integer_field(one, "bytes").value_or(0)) + ")" +
                (*fetched ? "\n" : " was there\n"));
      if (auto written = c.flush(); !written)
        return fail(written.error());
    }
    if (c.wants_json() && !quiet_)
      c.print_json(to_text({{"files", std::move(done)}, {"is_whole", is_whole}}));
    else if (chosen.empty() && !quiet_)
      c.print("job " + std::to_string(id_) + " has no files\n");
    return exit_completed;
  }

  result<int> fetch_archive(context& c) const {
    if (*tar_ == "-" && is_terminal(STDOUT_FILENO))
      return fail(error_code::invalid_argument, "an archive is not written to a terminal", "--tar FILE, or `… --tar - | tar x`");
    const auto size =
        download_stream(c, {.path = base() + "?archive=tar", .to = *tar_, .modified = {}, .replace = force_}, [](auto, auto) {});
    if (!size)
      return fail(size.error());
    if (*tar_ == "-")
      return exit_completed;
    if (quiet_)
      c.print(*tar_ + "\n");
    else if (c.wants_json())
      c.print_json(to_text({{"file", *tar_}, {"bytes", *size}}));
    else
      c.print(printable(*tar_) + " (" + bytes(*size) + ")\n");
    return exit_completed;
  }

  std::int64_t id_ = 0;
  std::vector<std::string> paths_;
  std::optional<std::string> to_, tar_;
  bool get_ = false, force_ = false, quiet_ = false;
};

} // namespace

std::unique_ptr<action> make_artifacts() { return std::make_unique<artifacts>(); }

} // namespace ferry::cli
