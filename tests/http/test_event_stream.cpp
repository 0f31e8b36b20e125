// The small parts of event streams: ids, and text cut between characters.
#include "http/event_stream.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::http;

TEST_CASE("an event's id says where to go on, also in a log") {
  const event_id plain{"1700000000000", 42};
  CHECK(to_text(plain) == "1700000000000-42");
  const auto read = event_id_from("1700000000000-42");
  REQUIRE(read);
  CHECK(read->start == plain.start);
  CHECK(read->number == 42);
  CHECK_FALSE(read->log);
  const auto with_log = event_id_from(to_text({"17", 3, log_place{{7}, 1024}}));
  REQUIRE(with_log);
  REQUIRE(with_log->log);
  CHECK(with_log->log->batch == batch_id{7});
  CHECK(with_log->log->offset == 1024);
  for (const char* broken :
       {"", "17", "-1", "17-", "17-x", "17-1-", "17-1-2", "17-1-2-", "17-1-2-3x", "17--1", "17-1--2-3", "17-99999999999999999999"})
    CHECK_FALSE(event_id_from(broken));
}

TEST_CASE("a character that is not whole yet waits for the rest of it") {
  const std::string text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\xa2"; // a, ä, €, a ship
  CHECK(whole_characters(text) == text.size());
  const std::size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
  for (std::size_t length = 0; length <= text.size(); ++length) {
    CAPTURE(length);
    CHECK(whole_characters(std::string_view(text).substr(0, length)) == whole[length]);
  }
  CHECK(whole_characters("\xff\xfe") == 1); // 0xfe may begin one of four; nothing that follows makes it valid, but it is short
  CHECK(whole_characters("\x80\x80\x80\x80") == 4); // what belongs to no character is not waited for
}
