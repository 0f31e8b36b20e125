// Datasets on disk: what is seen of them, and that nothing else is.
#include "http/dataset_files.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::http;
using ferry::tests::scratch_folder;
namespace fs = std::filesystem;

namespace {

const std::atomic<bool> never_stop = false;

fs::path put(const fs::path& file, const std::string& content) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << content;
  return file;
}

} // namespace

TEST_CASE("names lead nowhere else") {
  for (const auto& name :
       {std::string("a"), std::string("a b.png"), std::string("日本"), std::string(255, 'x'), std::string("a..b")})
    CHECK(check_file_name(name, "name"));
  for (const auto& name :
       {std::string(), std::string("."), std::string(".."), std::string(".hidden"), std::string("a/b"), std::string("/"),
        std::string("a\nb"), std::string("a\0b", 3), std::string("\x7f"), std::string(256, 'x')})
    CHECK(check_file_name(name, "name").error().code == error_code::invalid_argument);
  CHECK(split_path("a/b/c.png", "path") == std::vector<std::string>{"a", "b", "c.png"});
  for (const char* path : {"", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a/.b"})
    CHECK(split_path(path, "path").error().code == error_code::invalid_argument);
  std::string deep = "a";
  for (int i = 0; i < 15; ++i)
    deep += "/a";
  CHECK(split_path(deep, "path"));
  CHECK_FALSE(split_path(deep + "/a", "path"));
  const std::string wide(250, 'x');
  CHECK(split_path(wide + "/" + wide + "/" + wide + "/" + wide, "path"));
  CHECK_FALSE(split_path(wide + "/" + wide + "/" + wide + "/" + wide + "/" + wide, "path"));
}

TEST_CASE("a dataset shows its files by path, page by page, and nothing hidden or linked") {
  const scratch_folder folder;
  const auto datasets = folder.path() / "datasets", cats = datasets / "cats";
  CHECK(list_datasets(datasets, never_stop)->empty());
  REQUIRE(make_dataset(datasets, "cats"));
  CHECK(make_dataset(datasets, "cats").error().code == error_code::conflict);
  put(cats / "b.png", "bb"), put(cats / "a" / "1.txt", "1"), put(cats / "a" / "2.txt", "22");
  put(cats / ".hidden", "x"), put(cats / ".git" / "x", "x"), put(datasets / ".removed-1" / "x", "x");
  const auto secret = put(folder.path() / "secret", "secret");
  fs::create_symlink(secret, cats / "link.txt");
  fs::create_directory_symlink(folder.path(), cats / "linked");
  fs::create_directory_symlink(folder.path(), datasets / "all");
  REQUIRE(::mkfifo((cats / "pipe").c_str(), 0600) == 0);

  const auto all = list_datasets(datasets, never_stop);
  REQUIRE(all);
  REQUIRE(all->size() == 1);
  CHECK(all->at(0).name == "cats");
  CHECK(all->at(0).files == 3);
  CHECK(all->at(0).bytes == 5);
  CHECK(all->at(0).is_whole);

  const auto page = read_dataset(datasets, "cats", 1, 1, never_stop);
  REQUIRE(page);
  CHECK(page->total == 3);
  REQUIRE(page->files.size() == 1);
  CHECK(page->files[0].path == "a/2.txt");
  CHECK(page->files[0].bytes == 2);
  CHECK(read_dataset(datasets, "cats", 3, 10, never_stop)->files.empty());
  for (const char* name : {"dogs", "all"})
    CHECK(read_dataset(datasets, name, 0, 10, never_stop).error().code == error_code::not_found);
  CHECK(read_dataset(datasets, "..", 0, 10, never_stop).error().code == error_code::invalid_argument);
}

TEST_CASE("no path leaves the dataset, for reading or for removing") {
  const scratch_folder folder;
  const auto datasets = folder.path() / "datasets", cats = datasets / "cats";
  put(cats / "a" / "1.txt", "1"), put(cats / "b.txt", "2");
  const auto secret = put(folder.path() / "outside" / "secret", "secret");
  fs::create_symlink(secret, cats / "link.txt");
  fs::create_symlink("b.txt", cats / "inside.txt"); // not even where it stays inside
  fs::create_directory_symlink(folder.path() / "outside", cats / "linked");
  REQUIRE(::mkfifo((cats / "pipe").c_str(), 0600) == 0);
  using path = std::vector<std::string>;
  CHECK(open_dataset_file(datasets, "cats", {"a", "1.txt"}));
  for (const path& one : {path{"link.txt"}, path{"inside.txt"}, path{"linked", "secret"}, path{"pipe"}, path{"a"}, path{"none"}}) {
    CHECK(open_dataset_file(datasets, "cats", one).error().code == error_code::not_found);
    CHECK(remove_dataset_file(datasets, "cats", one).error().code == error_code::not_found);
  }
  for (const path& one : {path{"..", "outside", "secret"}, path{"../../outside/secret"}, path{"a", "..", "b.txt"}, path{""},
                          path{std::string("b.txt\0", 6)}}) {
    CHECK(open_dataset_file(datasets, "cats", one).error().code == error_code::invalid_argument);
    CHECK(remove_dataset_file(datasets, "cats", one).error().code == error_code::invalid_argument);
  }
  CHECK(open_dataset_file(datasets, "..", {"outside", "secret"}).error().code == error_code::invalid_argument);

  CHECK(remove_dataset_file(datasets, "cats", {"a", "1.txt"}) == 1U);
  CHECK_FALSE(fs::exists(cats / "a")); // it was left empty
  CHECK(fs::exists(cats));
  CHECK(remove_dataset(datasets, "cats", never_stop) == 1U);
  CHECK(fs::is_empty(datasets));
  CHECK(fs::exists(secret));
  CHECK(remove_dataset(datasets, "cats", never_stop).error().code == error_code::not_found);
}

TEST_CASE("a dataset whose removal was cut short is removed when the daemon starts again") {
  const scratch_folder folder;
  const auto datasets = folder.path() / "datasets";
  put(datasets / ".removed-0123" / "a", "1"), put(datasets / "cats" / "a", "1");
  remove_leftovers(datasets);
  CHECK_FALSE(fs::exists(datasets / ".removed-0123"));
  CHECK(fs::exists(datasets / "cats" / "a"));
}
