#include "http/byte_range.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry::http;

TEST_CASE("one range of bytes is a part of a file, as the standard counts them") {
  CHECK(bytes_wanted("bytes=0-0", 10) == wanted_bytes(byte_range{0, 1}));
  CHECK(bytes_wanted("bytes=2-5", 10) == wanted_bytes(byte_range{2, 4}));
  CHECK(bytes_wanted("bytes=2-", 10) == wanted_bytes(byte_range{2, 8}));
  CHECK(bytes_wanted("bytes=2-100", 10) == wanted_bytes(byte_range{2, 8}));
  CHECK(bytes_wanted("bytes=2-99999999999999999999999", 10) == wanted_bytes(byte_range{2, 8}));
  CHECK(bytes_wanted("bytes=-3", 10) == wanted_bytes(byte_range{7, 3}));
  CHECK(bytes_wanted("bytes=-30", 10) == wanted_bytes(byte_range{0, 10}));
  CHECK(bytes_wanted(" bytes= 1 - 2 ", 10) == wanted_bytes(byte_range{1, 2}));
}

TEST_CASE("a range behind the end is none, and what cannot be understood is the whole file") {
  for (const char* behind : {"bytes=10-", "bytes=10-20", "bytes=99999999999999999999-", "bytes=-0"})
    CHECK(bytes_wanted(behind, 10) == wanted_bytes(no_such_range{}));
  for (const char* of_nothing : {"bytes=0-", "bytes=0-0", "bytes=-1"})
    CHECK(bytes_wanted(of_nothing, 0) == wanted_bytes(no_such_range{}));
  for (const char* other :
       {"", "bytes=", "bytes=-", "bytes=x-1", "bytes=1-x", "bytes=5-2", "bytes=0-1,3-4", "items=0-1", "0-1", "bytes=--1"})
    CHECK(bytes_wanted(other, 10) == wanted_bytes(whole_file{}));
}

TEST_CASE("an ETag is found in a list of them") {
  CHECK(names_etag("\"a\"", "\"a\""));
  CHECK(names_etag("\"b\", W/\"a\"", "\"a\""));
  CHECK(names_etag("*", "\"a\""));
  CHECK_FALSE(names_etag("", "\"a\""));
  CHECK_FALSE(names_etag("\"ab\", a", "\"a\""));
}
