#include "cli/log_printer.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry::cli;

TEST_CASE("a bar that rewrites its line shows its last state once") {
  tidy_log_printer p;
  CHECK(p.take("start\r\n 10%|#", 0) == "start\n");
  CHECK(p.take("    |\r 50%|##   |\r", 0).empty());
  CHECK(p.take("100%|#####|\nend", 0) == "100%|#####|\n");
  CHECK(p.finish() == "end\n");
  CHECK(p.finish().empty());
}

TEST_CASE("a line without end is kept back only so far") {
  tidy_log_printer p;
  CHECK(p.take(std::string(70'000, 'x'), 0).size() == 70'000);
  CHECK(p.finish().empty());
}

TEST_CASE("lines become JSON with the place where they begin, however the bytes arrive") {
  json_log_printer p;
  CHECK(p.take("on", 0).empty());
  CHECK(p.take("e\ntwo\nthr\xc3", 2) == "{\"line\":\"one\",\"offset\":0}\n{\"line\":\"two\",\"offset\":4}\n");
  CHECK(p.take("\xa9", 12).empty());
  CHECK(p.finish() == "{\"line\":\"thré\",\"offset\":8}\n");
}
