// Gives a fuzzer each file of the folders that are named, whole and cut off at every point near its beginning: what was found once
// is looked for again, without clang.
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/file_text.hpp"

#include <algorithm>
#include <cstdio>

int main(int argc, char** argv) {
  constexpr std::size_t cuts_max = 512;
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i)
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      const auto text = ferry::tests::text_of(entry.path());
      std::fprintf(stderr, "%s\n", entry.path().c_str()); // the last one is the one that broke it
      for (std::size_t cut = 0; cut < std::min(text.size(), cuts_max); ++cut)
        ferry::fuzz(std::string_view(text).substr(0, cut));
      ferry::fuzz(text);
      ++files;
    }
  std::printf("%zu files\n", files);
  return files > 0 ? 0 : 1;
}
