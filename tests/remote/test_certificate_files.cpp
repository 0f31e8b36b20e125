#include "remote/certificate_files.hpp"

#include "config/limits.hpp"
#include "tests/support/file_text.hpp"
#include "tests/support/scratch_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <sys/stat.h>

using namespace ferry;
using namespace ferry::remote;
using ferry::tests::files_below;
using ferry::tests::scratch_folder;
using ferry::tests::text_of;

namespace fs = std::filesystem;

TEST_CASE("a new file has its text and mode, and nothing lies beside it") {
  const scratch_folder scratch;
  const auto file = scratch.path() / "a.key";
  REQUIRE(write_new_file(file, "one\n", 0600));
  const auto read = read_small_file(file);
  REQUIRE(read);
  CHECK(read->text == "one\n");
  CHECK(read->mode == 0600);
  CHECK(files_below(scratch.path()) == 1);
}

TEST_CASE("a file that is there is not overwritten, a dangling link neither") {
  const scratch_folder scratch;
  const auto file = scratch.path() / "a.key", link = scratch.path() / "b.key";
  REQUIRE(write_new_file(file, "one\n", 0600));
  fs::create_symlink(scratch.path() / "nothing", link);
  for (const auto& taken : {file, link}) {
    const auto second = write_new_file(taken, "two\n", 0600);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == error_code::conflict);
    CHECK(second.error().what.find(taken.string()) != std::string::npos);
  }
  CHECK(text_of(file) == "one\n");
  CHECK(files_below(scratch.path()) == 1);
}

TEST_CASE("a replaced file is another file with the new text") {
  const scratch_folder scratch;
  const auto file = scratch.path() / "a.pem", kept = scratch.path() / "kept";
  REQUIRE(write_new_file(file, "one\n", 0644));
  fs::create_hard_link(file, kept);
  REQUIRE(replace_file(file, "two\n", 0644));
  CHECK(text_of(file) == "two\n");
  CHECK(text_of(kept) == "one\n"); // so whoever has it open reads a whole one
  CHECK(files_below(scratch.path()) == 2);
}

TEST_CASE("what cannot be read says why, and no pipe keeps anyone waiting") {
  const scratch_folder scratch;
  const auto missing = read_small_file(scratch.path() / "missing.pem");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == error_code::not_found);
  CHECK(missing.error().what == "cannot read " + (scratch.path() / "missing.pem").string() + ": No such file or directory");

  const auto pipe = scratch.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(read_small_file(pipe));
  CHECK_FALSE(read_small_file(scratch.path()));

  const auto large = scratch.path() / "large.pem";
  REQUIRE(write_new_file(large, std::string(limits::certificate_file_bytes_max, 'x'), 0644));
  CHECK(read_small_file(large)->text.size() == limits::certificate_file_bytes_max);
  REQUIRE(replace_file(large, std::string(limits::certificate_file_bytes_max + 1, 'x'), 0644));
  CHECK(read_small_file(large).error().code == error_code::too_large);
}

TEST_CASE("the folder is its owner's; one that others may write to is refused") {
  const scratch_folder scratch;
  const auto folder = scratch.path() / "config/ferry/certs";
  REQUIRE(make_own_folder(folder));
  CHECK((fs::status(folder).permissions() & fs::perms::all) == fs::perms::owner_all);
  CHECK(make_own_folder(folder));

  fs::permissions(folder, fs::perms::group_write, fs::perm_options::add);
  const auto shared = make_own_folder(folder);
  REQUIRE_FALSE(shared);
  CHECK(shared.error().code == error_code::forbidden);
  CHECK(shared.error().hint == "chmod 700 " + folder.string());

  REQUIRE(write_new_file(scratch.path() / "file", "", 0644));
  CHECK(make_own_folder(scratch.path() / "file").error().code == error_code::conflict);
}
