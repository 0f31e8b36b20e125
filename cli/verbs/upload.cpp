#include "cli/upload.hpp"
#include "cli/format.hpp"
#include "cli/json_text.hpp"
#include "cli/text.hpp"
#include "cli/transfer_line.hpp"
#include "cli/upload_sources.hpp"
#include "cli/verbs/verbs.hpp"

#include <unistd.h>

namespace ferry::cli {
namespace {

class upload final : public action {
public:
  void declare(arguments& a) override {
    a.positional("FILE", files_, value_kind::file, "files; with --dataset also folders, with all that is below them");
    a.text("-d,--dataset", dataset_, "NAME", "into this dataset, which is made where there is none", value_kind::dataset);
    a.text("--path", path_, "PATH", "the place in the dataset; a folder where it ends with / or there are several files");
    a.text("--resume", resume_, "ID", "go on with an upload that was broken off, of the same file");
    a.flag("-q,--quiet", quiet_, "print the paths on the daemon's machine alone, one a line");
  }

  result<int> run(context& c) override {
    if (resume_ && (files_.size() != 1 || dataset_ || path_))
      return fail(error_code::invalid_argument, "--resume takes one FILE and neither --dataset nor --path",
                  "the upload knows where it goes");
    const auto sources = find_upload_sources(files_, dataset_, path_);
    if (!sources)
      return fail(sources.error());
    c.daemon().set_patience(std::chrono::minutes(1));
    if (sources->left_out > 0 && !quiet_)
      c.note(count_of(static_cast<std::int64_t>(sources->left_out), "entry is", "entries are") +
             " left out: hidden, or no regular files\n");
    transfer_display display(is_terminal(STDERR_FILENO) && !quiet_ && !c.wants_json(), c.err(), sources->files.size());
    json all = json::array();
    for (const upload_source& one : sources->files) {
      display.begin(one.file.filename().string());
      const auto done = upload_file(c, {.file = one.file, .name = one.name, .dataset = dataset_, .resume = resume_},
                                    [&](std::int64_t there, std::int64_t total) { display.show(there, total); });
      display.clear();
      if (!done) {
        if (c.wants_json() && !all.empty()) // what is there by now
          c.print_json(to_text(all));
        return fail(done.error());
      }
      all.push_back({{"file", one.file.string()}, {"path", done->path}, {"bytes", done->bytes}, {"sha256", done->sha256}});
      if (quiet_ || !c.wants_json())
        c.print(quiet_ ? done->path + "\n"
                       : printable(one.file.string()) + " (" + bytes(done->bytes) + ") is " + printable(done->path) + "\n");
      if (auto written = c.flush(); !written)
        return fail(written.error());
    }
    if (c.wants_json() && !quiet_)
      c.print_json(
          to_text(files_.size() == 1 && all.size() == 1 && !std::filesystem::is_directory(files_.front()) ? all.front() : all));
    return exit_completed;
  }

private:
  std::vector<std::string> files_;
  std::optional<std::string> dataset_, path_, resume_;
  bool quiet_ = false;
};

} // namespace

std::unique_ptr<action> make_upload() { return std::make_unique<upload>(); }

} // namespace ferry::cli
