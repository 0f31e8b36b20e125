// Two network namespaces joined by a pair of veth: a head and a node on machines of their own, and what is between them at the
// test's mercy.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ferry::tests {

class network {
public:
  // Why none can be made here; empty: one can.
  [[nodiscard]] static std::string obstacle();

  network();
  ~network();
  network(const network&) = delete;
  network& operator=(const network&) = delete;

  static constexpr const char* head_address = "10.77.0.1";
  // What a program is started by to be on that side.
  [[nodiscard]] std::vector<std::string> head() const { return {"ip", "netns", "exec", head_}; }
  [[nodiscard]] std::vector<std::string> node() const { return {"ip", "netns", "exec", node_}; }

  // From now on nothing of what is sent arrives, and nobody is told.
  void lose_from_head();
  void lose_from_node();
  void cut() { lose_from_head(), lose_from_node(); }
  void mend();
  // Each packet is late by so much. False: this kernel cannot do that.
  [[nodiscard]] bool delay(int ms);

private:
  std::string head_, node_;
};

} // namespace ferry::tests
