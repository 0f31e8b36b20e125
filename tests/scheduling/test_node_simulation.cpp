// P4 and what else docs/nodes.md says, through thousands of stories in which everything goes wrong.
#include "node_simulation.hpp"
#include "tests/support/seeds.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling::test;

TEST_CASE("P4 whatever happens to head, nodes and network, nothing runs twice at a time and each job ends once") {
  tally seen;
  const auto all = tests::seeds(2'000);
  for (const auto seed : all) {
    const auto [broken, told] = simulate_nodes(seed);
    seen += told;
    if (broken)
      FAIL("FERRY_TEST_SEED=" << seed << ": " << *broken);
  }
  if (all.size() == 1)
    return;
  CHECK(seen.completed > 1'000);
  CHECK(seen.ended_by_lease > 10);
  CHECK(seen.refused > 10);
  CHECK(seen.lost > 10);
  CHECK(seen.never_started > 10);
  CHECK(seen.sent_in_vain > 10);
  CHECK(seen.adopted > 10);
  CHECK(seen.ended_at_join > 10);
  CHECK(seen.names_refused > 10);
}

TEST_CASE("the simulation finds each rule that is broken on purpose") {
  const auto is_found = [](flaw wrong) {
    for (std::uint64_t seed = 1; seed <= 5'000; ++seed)
      if (simulate_nodes(seed, wrong).broken)
        return true;
    return false;
  };
  CHECK(is_found(flaw::node_counts_from_the_answer));
  CHECK(is_found(flaw::head_gives_up_early));
  CHECK(is_found(flaw::margin_is_too_small));
  CHECK(is_found(flaw::shims_ignore_the_lease));
  CHECK(is_found(flaw::late_joins_are_believed));
  CHECK(is_found(flaw::node_obeys_earlier_sessions));
  CHECK(is_found(flaw::head_sends_before_it_stores));
  CHECK(is_found(flaw::node_forgets_before_the_ack));
  CHECK(is_found(flaw::head_answers_requests_twice));
  CHECK(is_found(flaw::other_machines_take_names));
}
