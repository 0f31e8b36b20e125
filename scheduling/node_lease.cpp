#include "scheduling/node_lease.hpp"

#include <algorithm>

namespace ferry::scheduling {

void node_lease::joined(session_number session, boot_instant sent, duration lease) {
  session_ = session;
  until_ = sent + lease; // also where that is earlier than before: it is what this head counts on
}

void node_lease::answered(session_number session, boot_instant sent, duration lease) {
  if (session != 0 && session == session_)
    until_ = std::max(until_, sent + lease);
}

} // namespace ferry::scheduling
