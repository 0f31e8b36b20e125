#include "gpu/upscale/network/load.hpp"

#include <cstdlib>

namespace ferry::upscale {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* found = std::getenv(name); // NOLINT(concurrency-mt-unsafe): read before any thread starts
  return found ? found : "";
}

fs::path cache_folder() {
  if (const std::string cache = variable("FERRY_CACHE"); !cache.empty())
    return cache;
  if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty())
    return fs::path(cache) / "ferry";
  const std::string home = variable("HOME");
  return home.empty() ? fs::path() : fs::path(home) / ".cache" / "ferry";
}

std::vector<fs::path> places(const fs::path& models_folder) {
  std::vector<fs::path> found;
  if (!models_folder.empty())
    found.push_back(models_folder);
  if (const std::string models = variable("FERRY_MODELS"); !models.empty())
    found.emplace_back(models);
  std::error_code failure;
  if (const fs::path program = fs::read_symlink("/proc/self/exe", failure); !failure)
    found.push_back(program.parent_path().parent_path() / "share" / "ferry" / "models");
  if (const fs::path cache = cache_folder(); !cache.empty())
    found.push_back(cache / "models");
  return found;
}

bool is_known(const std::string& name) { return name == "slim" || name == "medium" || name == "thick"; }

} // namespace

result<fs::path> find_network(const std::string& name, int scale, const fs::path& models_folder) {
  if (!is_known(name))
    return fail(error_code::invalid_argument, "there is no network '" + name + "'", "known are slim, medium and thick");
  if (scale != 2 && scale != 3 && scale != 4 && scale != 8)
    return fail(error_code::invalid_argument, "no network enlarges by " + std::to_string(scale), "known are 2, 3, 4 and 8");
  std::string looked;
  for (const fs::path& place : places(models_folder)) {
    fs::path folder = place / ("esrgan-" + name) / "models" / ("x" + std::to_string(scale));
    std::error_code failure;
    if (fs::is_regular_file(folder / "model.json", failure))
      return folder;
    looked += (looked.empty() ? "" : ", ") + (folder / "model.json").string();
  }
  const std::string command = name == "slim" ? "scripts/setup" : "scripts/setup --models " + name;
  return fail(error_code::not_found,
              "the network " + name + " ×" + std::to_string(scale) + " is not here (looked for " + looked + ")",
              command + " fetches it (npm package @upscalerjs/esrgan-" + name +
                  "), or FERRY_MODELS names the folder that holds esrgan-" + name);
}

} // namespace ferry::upscale
