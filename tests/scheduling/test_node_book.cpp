#include "scheduling/node_book.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace ferry;
using namespace ferry::scheduling;
using namespace std::chrono_literals;

namespace {

using ids = std::vector<batch_id>;
using names = std::vector<std::string>;

constexpr boot_instant start{std::chrono::hours(10)};
const std::string a = "a", b = "b";

// A book that checks itself after each step, and that numbers sessions.
struct head {
  node_book book{node_rules{}};
  session_number last = 0;

  node_welcome join(const std::string& name, boot_instant now, ids holds = {}, const std::string& id = "machine") {
    auto welcome = book.join({name, id, std::move(holds)}, ++last, now);
    REQUIRE(welcome);
    sound();
    return *welcome;
  }
  // With a batch that may run there.
  session_number join_with(const std::string& name, batch_id batch, boot_instant now, bool survives = false) {
    const auto session = join(name, now).session;
    REQUIRE(book.heard(name, session, now));
    REQUIRE(book.give(name, batch, survives));
    book.sent(batch);
    sound();
    return session;
  }
  node_book::changes look(boot_instant now) {
    auto found = book.look(now);
    sound();
    return found;
  }
  void sound() const {
    const auto broken = book.check_invariants();
    INFO(broken.value_or(""));
    CHECK_FALSE(broken);
  }
};

} // namespace

TEST_CASE("a node that joins is connected, and may run what it is given from then on") {
  head h;
  CHECK_FALSE(h.book.is_connected(a));
  CHECK_FALSE(h.book.give(a, {7}, false));
  const auto welcome = h.join(a, start);
  CHECK(welcome.session == 1);
  CHECK(welcome.adopt.empty());
  CHECK(welcome.end.empty());
  CHECK(h.book.is_connected(a));
  CHECK(h.book.lease_of(a) == start + 65s);
  CHECK(h.book.give(a, {7}, false));
  CHECK_FALSE(h.book.give(a, {7}, false));
  CHECK(h.book.batches_of(a) == ids{{7}});
  CHECK_FALSE(h.book.believes(a, 1, {7})); // it was not told yet
  h.book.sent({7});
  CHECK(h.book.believes(a, 1, {7}));
  h.book.over({7});
  CHECK(h.book.batches_of(a).empty());
  CHECK_FALSE(h.book.believes(a, 1, {7}));
  h.sound();
}

TEST_CASE("each answer makes the lease longer, and none of a session that is over does") {
  head h;
  const auto old = h.join(a, start).session;
  CHECK(h.book.heard(a, old, start + 1s));
  CHECK(h.book.lease_of(a) == start + 66s);
  const auto now = h.join(a, start + 2s).session;
  CHECK_FALSE(h.book.heard(a, old, start + 50s));
  CHECK_FALSE(h.book.heard(a, 0, start + 50s));
  CHECK_FALSE(h.book.heard(b, now, start + 50s));
  CHECK(h.book.lease_of(a) == start + 67s);
  CHECK(h.book.heard(a, now, start + 4s));
  CHECK(h.book.heard(a, now, start + 3s)); // answered out of order
  CHECK(h.book.lease_of(a) == start + 69s);
  h.sound();
}

TEST_CASE("a node that is not heard of loses its session at once and its batches with the lease") {
  head h;
  const auto session = h.join_with(a, {7}, start);
  REQUIRE(h.book.give(a, {8}, false)); // not sent
  CHECK(h.book.next_due() == start + 3s);
  CHECK(h.look(start + 3s - 1ns).silent.empty());
  const auto silent = h.look(start + 3s);
  CHECK(silent.silent == names{a});
  CHECK(silent.never_started == ids{{8}});
  CHECK(silent.lost.empty());
  CHECK_FALSE(h.book.is_connected(a));
  CHECK_FALSE(h.book.give(a, {9}, false));
  CHECK_FALSE(h.book.heard(a, session, start + 4s));
  CHECK_FALSE(h.book.believes(a, session, {7}));
  CHECK(h.book.lease_of(a) == start + 65s);
  CHECK(h.book.next_due() == start + 65s);
  CHECK(h.look(start + 65s - 1ns).lost.empty());
  const auto over = h.look(start + 65s);
  CHECK(over.lost == ids{{7}});
  CHECK(over.expired == names{a});
  CHECK_FALSE(h.book.lease_of(a));
  CHECK_FALSE(h.book.next_due());
  // It comes back with it after all: that one is to be ended.
  CHECK(h.join(a, start + 90s, {{7}}).end == ids{{7}});
}

TEST_CASE("what a node has after a broken link goes on") {
  head h;
  h.join_with(a, {7}, start);
  h.look(start + 10s);
  const auto welcome = h.join(a, start + 20s, {{7}});
  CHECK(welcome.adopt == ids{{7}});
  CHECK(welcome.end.empty());
  CHECK(h.book.believes(a, welcome.session, {7}));
  CHECK(h.book.lease_of(a) == start + 85s);
}

TEST_CASE("what was sent and never arrived has never started once the node speaks in its new session") {
  head h;
  h.join_with(a, {7}, start);
  const auto welcome = h.join(a, start + 1s);
  CHECK(welcome.never_started.empty());
  CHECK(h.book.batches_of(a) == ids{{7}});
  CHECK_FALSE(h.book.believes(a, welcome.session, {7}));
  CHECK(h.look(start + 1s).never_started.empty());
  CHECK(h.book.heard(a, welcome.session, start + 2s));
  h.sound();
  CHECK(h.book.next_due() == boot_instant{});
  CHECK(h.look(start + 2s).never_started == ids{{7}});
  CHECK(h.look(start + 2s).never_started.empty());
  CHECK(h.book.batches_of(a).empty());
}

TEST_CASE("P4 a join that comes late does not say that what was started since never was") {
  head h;
  h.join_with(a, {7}, start); // by a later join than the one that now comes
  const auto late = h.join(a, start + 1s);
  CHECK(h.look(start + 1s).never_started.empty());
  const auto again = h.join(a, start + 2s, {{7}}); // the node does not know of that session, and begins another
  CHECK(again.adopt == ids{{7}});
  CHECK_FALSE(h.book.heard(a, late.session, start + 2s));
  CHECK(h.book.heard(a, again.session, start + 3s));
  CHECK(h.look(start + 3s).never_started.empty());
  CHECK(h.book.believes(a, again.session, {7}));
}

TEST_CASE("what a late join left open is settled by the lease where the node does not come again") {
  head h;
  h.join_with(a, {7}, start);
  h.join(a, start + 1s);
  CHECK(h.look(start + 10s).silent == names{a});
  CHECK(h.look(start + 66s).lost == ids{{7}});
}

TEST_CASE("what waits to be sent when a new session begins was never started") {
  head h;
  const auto session = h.join_with(a, {7}, start);
  REQUIRE(h.book.give(a, {8}, false));
  const auto welcome = h.join(a, start + 1s, {{7}});
  CHECK(welcome.never_started == ids{{8}});
  CHECK(welcome.adopt == ids{{7}});
  REQUIRE(h.book.give(a, {9}, false));
  CHECK(h.book.left(a, session, start + 2s).empty()); // says the old session
  CHECK(h.book.left(a, welcome.session, start + 2s) == ids{{9}});
  CHECK_FALSE(h.book.is_connected(a));
  CHECK(h.book.batches_of(a) == ids{{7}});
  h.sound();
}

TEST_CASE("a node ends the runs that the head does not know, or that are another node's") {
  head h;
  h.join_with(a, {7}, start);
  const auto welcome = h.join(b, start, {{7}, {99}}, "another machine");
  CHECK(welcome.end == ids{{7}, {99}});
  CHECK(welcome.adopt.empty());
  CHECK(h.book.believes(a, 1, {7}));
  CHECK_FALSE(h.book.believes(b, welcome.session, {7}));
}

TEST_CASE("a batch that survives partitions is never lost by time") {
  head h;
  h.join_with(a, {7}, start, true);
  h.look(start + 3s);
  CHECK(h.book.lease_of(a) == boot_instant::max());
  const auto over = h.look(start + 65s);
  CHECK(over.lost.empty());
  CHECK(over.expired == names{a});
  CHECK(h.book.batches_of(a) == ids{{7}});
  CHECK(h.book.lease_of(a) == boot_instant::max());
  CHECK_FALSE(h.book.next_due());
  CHECK(h.join(a, start + 48h, {{7}}).adopt == ids{{7}});
}

TEST_CASE("after a start of the head what ran on a node is waited for as long as it may run there") {
  head h;
  h.book.know(a, "machine");
  h.book.expect(a, {7}, false, start);
  h.book.expect(a, {8}, false, start);
  h.book.expect(b, {9}, false, start);
  h.sound();
  CHECK_FALSE(h.book.is_connected(a));
  CHECK(h.book.lease_of(a) == start + 65s);
  const auto welcome = h.join(a, start + 1s, {{7}});
  CHECK(welcome.adopt == ids{{7}});
  CHECK(h.book.heard(a, welcome.session, start + 2s));
  CHECK(h.look(start + 2s).never_started == ids{{8}});
  CHECK(h.look(start + 65s).lost == ids{{9}});
}

TEST_CASE("P4 another machine does not take a name while what the first was given may run") {
  head h;
  const auto session = h.join_with(a, {7}, start);
  const node_offer other{a, "another machine", {}};
  const auto connected = h.book.join(other, 50, start + 1s);
  REQUIRE_FALSE(connected);
  CHECK(connected.error().code == error_code::conflict);
  CHECK(connected.error().what == "another machine is connected as node \"a\"");
  h.look(start + 3s);
  const auto waits = h.book.join(other, 51, start + 5s);
  REQUIRE_FALSE(waits);
  CHECK(waits.error().what == "node \"a\" may still run batch 7, for 1 m 0 s");
  CHECK_FALSE(h.book.heard(a, session, start + 5s));
  CHECK_FALSE(h.book.join(other, 52, start + 65s)); // not before it was found lost
  CHECK(h.look(start + 65s).lost == ids{{7}});
  CHECK(h.book.join(other, 53, start + 65s)->session == 53);
  h.sound();
}

TEST_CASE("another machine may take the name of one that runs nothing and is gone") {
  head h;
  const auto session = h.join_with(a, {7}, start);
  h.book.over({7});
  h.book.left(a, session, start + 1s);
  CHECK(h.join(a, start + 2s, {}, "another machine").session == 2);
  CHECK_FALSE(h.book.join({a, "machine", {}}, 9, start + 2s)); // now that one is another
}

TEST_CASE("P4 a machine that nobody knows is the expected one only if it has a run of it") {
  head h;
  h.book.expect(a, {7}, false, start);
  h.book.expect(a, {8}, true, start);
  const auto unknown = h.book.join({a, "some machine", {{3}}}, 50, start + 1s);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().what == "node \"a\" may still run 2 batches, with no end to be foreseen: its type survives partitions");
  CHECK(h.join(a, start + 1s, {{7}}, "machine").adopt == ids{{7}});
}

TEST_CASE("a node is removed when it is gone and can run nothing, or by force once it is off") {
  head h;
  CHECK(h.book.remove(a, false, start).error().code == error_code::not_found);
  const auto session = h.join_with(a, {7}, start);
  for (const bool force : {false, true})
    CHECK(h.book.remove(a, force, start).error().what == "node \"a\" is connected");
  h.book.left(a, session, start + 1s);
  const auto refused = h.book.remove(a, false, start + 5s);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::conflict);
  CHECK(refused.error().what == "node \"a\" may still run batch 7, for 1 m 0 s");
  CHECK(h.book.remove(a, true, start + 5s).value() == ids{{7}});
  h.sound();
  CHECK_FALSE(h.book.lease_of(a));
  CHECK(h.book.remove(a, true, start + 5s).error().code == error_code::not_found);

  h.join_with(b, {8}, start);
  h.look(start + 3s);
  CHECK(h.book.remove(b, false, start + 65s).value() == ids{{8}}); // its lease is over
  h.join_with(b, {9}, start + 70s, true);
  h.look(start + 200s);
  CHECK_FALSE(h.book.remove(b, false, start + 48h));
  CHECK(h.book.remove(b, true, start + 48h).value() == ids{{9}});
}

TEST_CASE("a node's lease counts from when it sent what was answered") {
  node_lease lease;
  CHECK_FALSE(lease.obeys(0, start));
  lease.answered(3, start, 60s); // of no session
  CHECK(lease.until() == boot_instant{});
  lease.joined(3, start, 60s);
  CHECK(lease.session() == 3);
  CHECK(lease.until() == start + 60s);
  CHECK(lease.obeys(3, start + 60s - 1ns));
  CHECK_FALSE(lease.obeys(3, start + 60s));
  CHECK_FALSE(lease.obeys(4, start));
  lease.answered(3, start + 10s, 60s);
  lease.answered(3, start + 5s, 60s); // an earlier request, answered later
  CHECK(lease.until() == start + 70s);
  lease.answered(2, start + 50s, 60s);
  CHECK(lease.until() == start + 70s);
}

TEST_CASE("a node obeys nobody between two sessions, and what runs may go on") {
  node_lease lease;
  lease.joined(3, start, 60s);
  lease.left();
  CHECK_FALSE(lease.obeys(3, start));
  CHECK_FALSE(lease.obeys(0, start));
  CHECK(lease.until() == start + 60s);
  lease.answered(3, start + 10s, 60s);
  CHECK(lease.until() == start + 60s);
  lease.joined(4, start + 20s, 10s); // by a head whose leases are shorter now
  CHECK(lease.obeys(4, start + 20s));
  CHECK(lease.until() == start + 30s);
}
