// Says to systemd how far the daemon is (sd_notify(3), `Type=notify`), where it was started by it; else says nothing.
#pragma once

#include <string>
#include <string_view>

namespace ferry {

class service_manager {
public:
  // Takes $NOTIFY_SOCKET out of the environment, so that nothing that is started here speaks in the daemon's name.
  service_manager();

  // "READY=1", "STOPPING=1", "STATUS=…"; lost where nobody listens, as systemd has it.
  void tell(std::string_view state) const;

private:
  std::string socket_; // empty: nobody asked
};

} // namespace ferry
