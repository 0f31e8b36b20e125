#include "tests/rules/source_tree.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

namespace ferry::rules {

namespace fs = std::filesystem;

std::vector<source_file> read_tree(const fs::path& root) {
  static const std::set<std::string, std::less<>> not_ours{".git",        "build",  "demo-output", "node_modules",
                                                           "__pycache__", ".cache", ".vscode",     ".idea"};
  std::vector<source_file> files;
  for (auto at = fs::recursive_directory_iterator(root); at != fs::recursive_directory_iterator(); ++at) {
    const std::string name = at->path().filename().string();
    if (at->is_directory() && not_ours.contains(name)) {
      at.disable_recursion_pending();
      continue;
    }
    if (!at->is_regular_file() || at->is_symlink())
      continue;
    std::ifstream in(at->path(), std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (text.find('\0') != text.npos) // a picture, a database
      continue;
    files.push_back({at->path().lexically_relative(root).generic_string(), std::move(text)});
  }
  std::ranges::sort(files, {}, &source_file::path);
  return files;
}

bool is_cpp(const source_file& file) { return file.path.ends_with(".cpp") || file.path.ends_with(".hpp"); }

} // namespace ferry::rules
