// What the head knows of its nodes: who is connected, what each was given, and until when it may run that. Pure: time is an
// argument (boot_clock: nobody can set it), session numbers are given by the caller, a decision is a return value.
//
// A node and the head speak in sessions. A session begins with a join, in which the node says which runs it has directories of;
// whatever was on its way in an earlier session no longer counts, on either side, so each fault of the network, of the node and of
// the head is mended in the same way. Batches are numbered anew for each start, so a batch's number is its fencing token:
//
//   given ──sent──▶ sent ──join, the node has it──▶ sent (adopt)          over: its end was reported
//     │              ├──join, the node has it not, and then speaks in that session──▶ never started
//     │              └──the lease is over──────────▶ lost
//     └──the session is over──▶ never started (the node was never told)
//
// A join may be an old one that was late: what it does not name may have been started since. Only the node that made it gets the
// answer it waits for and goes on in that session, so nothing is concluded before that.
//
// What was sent to a node that is not heard of may run there until its lease is over (P4): the head waits for `lease + margin`
// from the moment at which it last answered. A batch that survives partitions is never lost by time.
#pragma once

#include "model/boot_time.hpp"
#include "model/error.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"
#include "scheduling/node_lease.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ferry::scheduling {

struct node_rules {
  duration silent_after = std::chrono::seconds{3}; // not heard of for so long: nothing new is given to it
  duration lease = std::chrono::seconds{60};       // what a node may run on, from when it sent what was answered
  duration margin = std::chrono::seconds{5};       // for the drift of two clocks, and for a late KILL
};

// What a node says of itself when it joins.
struct node_offer {
  std::string name;
  std::string id;              // of its data directory, made once: another directory knows nothing of the runs of this one
  std::vector<batch_id> holds; // runs that it has directories of, whatever became of them
};

// What the head answers: of the runs that the node has, these go on (or have ended, which is to be reported); those are to be ended
// and forgotten.
struct node_welcome {
  session_number session = 0;
  std::vector<batch_id> adopt = {};
  std::vector<batch_id> end = {};
  std::vector<batch_id> never_started = {}; // for the head itself: what was still to be sent in the session before
};

class node_book {
public:
  explicit node_book(node_rules rules) : rules_(rules) {}

  // After a start of the head: by what is stored this ran there, and may still. The head that was before may have answered until a
  // moment ago, so the lease counts from now.
  void expect(const std::string& node, batch_id batch, bool survives_partition, boot_instant now);
  // After a start of the head: the machine that is stored under this name. Where that is not told, a machine is taken for the one
  // that was there before only if it holds one of the runs that are expected.
  void know(const std::string& node, const std::string& id);

  // A new session. `fresh` is its number. Errors: conflict, when a machine with another id has that name and is connected, or may
  // still run what it was given (says until when).
  [[nodiscard]] result<node_welcome> join(const node_offer& offer, session_number fresh, boot_instant now);
  // Whether it would be refused now; nothing changes.
  [[nodiscard]] result<void> check(const node_offer& offer, boot_instant now) const;
  // Something of this session has come and is being answered now: the lease is longer. False: the session is over, which is the
  // answer then; nothing else of the message counts. The first of a session settles what its join left open: look() tells.
  [[nodiscard]] bool heard(const std::string& node, session_number session, boot_instant now);
  // The session is over: the node said so, or its connection broke. Returns what was never sent. Silently nothing for another
  // session.
  std::vector<batch_id> left(const std::string& node, session_number session, boot_instant now);

  // A batch is to run there. It must not be known yet. False: the node has no session.
  [[nodiscard]] bool give(const std::string& node, batch_id batch, bool survives_partition);
  // The order to run it is being sent: from now on it may run.
  void sent(batch_id batch);
  // Its end is known, or it never started: forgotten.
  void over(batch_id batch);
  // May this be reported of this batch? Not by a session that is over, nor of what was given up.
  [[nodiscard]] bool believes(const std::string& node, session_number session, batch_id batch) const;

  // What time has brought since the last look.
  struct changes {
    std::vector<std::string> silent = {};     // their sessions are over
    std::vector<batch_id> never_started = {}; // of these; and what a node had not got when it joined. Forgotten
    std::vector<batch_id> lost = {};          // no lease covers them any more; forgotten
    // Whose lease is over: no batch of theirs runs any more but what survives partitions; idle workers may still be there.
    std::vector<std::string> expired = {};
  };
  [[nodiscard]] changes look(boot_instant now);
  // When to look again; the clock's beginning: now. Changes with each join and heard.
  [[nodiscard]] std::optional<boot_instant> next_due() const;

  // The node is forgotten. Returns what it was given, which is lost. Errors: conflict while it is connected, or may still run
  // something (says what and until when); `force` gives the latter up: the caller promises that the machine is off. not_found.
  [[nodiscard]] result<std::vector<batch_id>> remove(const std::string& node, bool force, boot_instant now);

  [[nodiscard]] bool is_connected(const std::string& node) const;
  // Until when it may run what it was given, as the head counts: boot_instant::max() where some of it survives partitions. Nothing:
  // it may run nothing.
  [[nodiscard]] std::optional<boot_instant> lease_of(const std::string& node) const;
  [[nodiscard]] std::vector<batch_id> batches_of(const std::string& node) const;
  [[nodiscard]] const node_rules& rules() const { return rules_; }
  // The first broken invariant in words, or nothing.
  [[nodiscard]] std::optional<std::string> check_invariants() const;

private:
  struct given {
    std::string node;
    bool is_sent = false;
    bool survives_partition = false;
    bool is_missing = false; // its node did not name it when it joined, and has not spoken since
  };
  struct member {
    std::string id;
    session_number session = 0;
    boot_instant heard{};                   // the last of its session
    std::optional<boot_instant> lease = {}; // its end, with the margin
    bool is_unsettled = false;              // something is missing
  };

  [[nodiscard]] std::optional<error> refusal_of(const node_offer& offer, boot_instant now) const;
  [[nodiscard]] error may_still_run(const std::string& name, boot_instant now) const;
  std::vector<batch_id> end_session(const std::string& name, member& node);
  void extend(member& node, boot_instant now) const;

  node_rules rules_;
  std::map<std::string, member> nodes_;
  std::map<batch_id, given> batches_;
  std::vector<batch_id> never_started_; // settled, and to be told by look()
};

} // namespace ferry::scheduling
