// A node's side of its session with the head: until when it may run what it was given. Pure.
//
// The lease counts from the moment at which the node sent what the head answered, so it never ends later than the head believes,
// however long the answer took.
#pragma once

#include "model/boot_time.hpp"
#include "model/time.hpp"

#include <cstdint>

namespace ferry::scheduling {

// A number that no other session of any node has ever had; 0: none.
using session_number = std::uint64_t;

class node_lease {
public:
  // The head has answered a join that was sent at `sent`: this session is the one that counts from now on.
  void joined(session_number session, boot_instant sent, duration lease);
  // The head has answered something of this session. Ignored where it is of another one; a later answer never shortens the lease.
  void answered(session_number session, boot_instant sent, duration lease);
  // The session is over; what runs may go on until the lease ends.
  void left() { session_ = 0; }

  [[nodiscard]] session_number session() const { return session_; }
  // Orders of other sessions are not obeyed, and none at all once the lease has ended.
  [[nodiscard]] bool obeys(session_number session, boot_instant now) const {
    return session != 0 && session == session_ && now < until_;
  }
  [[nodiscard]] boot_instant until() const { return until_; }

private:
  session_number session_ = 0;
  boot_instant until_{};
};

} // namespace ferry::scheduling
