#include "model/job.hpp"
#include "model/job_state.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

using namespace ferry;

namespace {

// from, event → to
using transitions = std::map<std::pair<std::string, std::string>, std::string>;

std::vector<std::string> lines_of_document() {
  std::ifstream in(FERRY_SOURCE_DIR "/docs/state_machine.md");
  REQUIRE(in);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out;
  std::istringstream in(line.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) {
    const auto first = cell.find_first_not_of(' '), last = cell.find_last_not_of(' ');
    out.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return out;
}

transitions table_of(const std::vector<std::string>& lines, std::set<std::string>& states, std::set<std::string>& events) {
  transitions found;
  std::vector<std::string> head;
  for (const std::string& line : lines) {
    if (!line.starts_with("|") || line.starts_with("|-"))
      continue;
    const auto row = cells(line);
    if (head.empty()) {
      head = row;
      events.insert(head.begin() + 1, head.end());
      continue;
    }
    REQUIRE(row.size() == head.size());
    states.insert(row[0]);
    for (std::size_t i = 1; i < row.size(); ++i)
      if (row[i] != "–")
        found[{row[0], head[i]}] = row[i];
  }
  return found;
}

transitions drawing_of(const std::vector<std::string>& lines) {
  transitions found;
  const std::regex arrow(R"(\s*(\w+) --> (\w+): (\w+))");
  std::smatch parts;
  for (const std::string& line : lines)
    if (std::regex_match(line, parts, arrow))
      found[{parts[1], parts[3]}] = parts[2];
  return found;
}

transitions code() {
  transitions found;
  for (const job_state from : all_job_states)
    for (const job_event event : all_job_events)
      if (const auto to = next_state(from, event))
        found[{std::string(to_string(from)), std::string(to_string(event))}] = to_string(*to);
  return found;
}

} // namespace

TEST_CASE("the state machine is the one that docs/state_machine.md shows, in its table and in its drawing") {
  const auto lines = lines_of_document();
  std::set<std::string> states, events;
  const transitions table = table_of(lines, states, events);
  std::set<std::string> known_states, known_events;
  for (const job_state s : all_job_states)
    known_states.emplace(to_string(s));
  for (const job_event e : all_job_events)
    known_events.emplace(to_string(e));
  CHECK(states == known_states);
  CHECK(events == known_events);
  CHECK(table == code());
  CHECK(drawing_of(lines) == code());
}

TEST_CASE("finished states are left by a retry alone, and a completed job is never left") {
  for (const job_state from : all_job_states)
    for (const job_event event : all_job_events)
      if (is_finished(from) && next_state(from, event)) {
        CHECK(event == job_event::retry);
        CHECK(from != job_state::completed);
      }
  CHECK_FALSE(is_finished(job_state::queued));
  CHECK_FALSE(is_finished(job_state::running));
}

TEST_CASE("every state can be reached from queued") {
  std::set<job_state> reached{job_state::queued};
  for (std::size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (const job_state from : std::set<job_state>(reached))
      for (const job_event event : all_job_events)
        if (const auto to = next_state(from, event))
          reached.insert(*to);
  }
  CHECK(reached.size() == all_job_states.size());
}

TEST_CASE("names of states and failures lead back to them, and the stored numbers never change") {
  for (const job_state s : all_job_states)
    CHECK(job_state_from(to_string(s)) == s);
  for (const char* bad : {"", "Queued", "held", "unknown"})
    CHECK_FALSE(job_state_from(bad));
  CHECK(static_cast<int>(job_state::queued) == 0);
  CHECK(static_cast<int>(job_state::running) == 1);
  CHECK(static_cast<int>(job_state::completed) == 2);
  CHECK(static_cast<int>(job_state::failed) == 3);
  CHECK(static_cast<int>(job_state::cancelled) == 4);
  std::set<std::string_view> names;
  for (const failure_kind kind : {failure_kind::exit_status, failure_kind::signal, failure_kind::oom, failure_kind::timeout,
                                  failure_kind::input, failure_kind::launch, failure_kind::lost, failure_kind::reported}) {
    CHECK(failure_kind_from(to_string(kind)) == kind);
    CHECK(names.insert(to_string(kind)).second);
  }
  CHECK_FALSE(failure_kind_from("unknown"));
}
