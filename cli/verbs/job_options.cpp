#include "cli/verbs/job_options.hpp"

#include "cli/text.hpp"

#include <filesystem>

namespace ferry::cli {

void job_options::declare(arguments& a, bool type_required) {
  a.positional("TYPE", type, value_kind::job_type, "the job type (`ferry types` lists them)", type_required);
  a.list("-p,--param", params, "KEY=VALUE", "set a parameter");
  a.text("--json", document, "OBJECT", "parameters as a JSON object, @FILE or - for standard input; --param goes over it");
  a.text("--cwd", directory, "DIR", "where the job runs (params.cwd); for `command` the current directory otherwise",
         value_kind::directory);
  a.rest(argv, "ARGV", "the program of a `command` job and its arguments");
}

result<std::string> job_options::absolute_directory(const std::string& directory) {
  std::error_code problem;
  const auto path = std::filesystem::absolute(directory, problem);
  if (problem)
    return fail(error_code::invalid_argument,
                "the directory \"" + printable(directory) + "\" has no absolute path: " + problem.message());
  std::string text = path.lexically_normal().string();
  if (text.size() > 1 && text.ends_with('/'))
    text.pop_back();
  return text;
}

result<std::string> job_options::base_directory(const std::string& type) {
  return type == "command" ? result<std::string>() : absolute_directory(".");
}

result<json> job_options::shared_parameters() const {
  auto made = parameters_from(document ? &*document : nullptr, params);
  if (made && directory) {
    auto absolute = absolute_directory(*directory);
    if (!absolute)
      return fail(absolute.error());
    (*made)["cwd"] = *absolute;
  }
  return made;
}

result<json> job_options::parameters() const {
  auto made = shared_parameters();
  if (!made)
    return made;
  if (type != "command") {
    if (!argv.empty())
      return fail(error_code::invalid_argument, "only jobs of type command take a program after --",
                  "set parameters of " + printable(type.value_or("")) + " with --param");
    return made;
  }
  if (!argv.empty())
    (*made)["argv"] = argv;
  else if (!made->contains("argv"))
    return fail(error_code::invalid_argument, "the program to run is missing", "ferry submit command -- PROGRAM ARG…");
  if (!made->contains("cwd")) {
    auto here = absolute_directory(".");
    if (!here)
      return fail(here.error());
    (*made)["cwd"] = *here;
  }
  return made;
}

} // namespace ferry::cli
