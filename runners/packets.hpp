// What the daemon and a shim say to each other: one JSON object a packet of a SOCK_SEQPACKET socket.
//
// To the shim:    {"type":"run","spec":{…}} with two descriptors, the locked shim.lock and the run directory; "spec" is left out
// where
//                 it would not fit a packet, and spec.json is read instead
//                 For a batch of a worker that is yet to be started two more descriptors follow: its locked shim.lock and its
//                 directory
//                 {"type":"stop","batch":7,"reason":"cancelled","grace_ms":10000,"jobs":[1]}
//                 {"type":"end_worker","grace_ms":10000}
// From the shim:  {"type":"events","batch":7,"offset":120}, then a newline and the bytes that were appended to events.jsonl at that
//                 offset; nothing after the newline where they would not fit: then the file is to be read
//                 {"type":"passing","batch":7}, then a newline and one event that is not stored: progress between two stored ones
#pragma once

#include "model/ids.hpp"
#include "runners/descriptor.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::runners {

// Where a shim finds the socket to the daemon that started it.
inline constexpr int launcher_fd = 3;
// Well under what a socket's default buffer takes.
inline constexpr std::size_t packet_bytes_max = 32 * 1024;

// What arrived last, and the room for it, used again from packet to packet.
struct packet {
  std::vector<char> room = std::vector<char>(packet_bytes_max);
  std::string_view bytes = {};
  std::vector<descriptor> descriptors = {};
};

enum class receipt { got, nothing_yet, closed };
// Never waits.
[[nodiscard]] receipt receive(int socket, packet& into);
// Never waits; true when the packet is on its way, false when the other side is gone or does not listen. Raises no signal.
bool send(int socket, std::string_view bytes, const std::vector<int>& descriptors = {});

struct notice {
  enum class kind { events, passing };
  kind what = kind::events;
  batch_id batch;
  std::int64_t offset = 0;
  std::string_view bytes; // points into the packet
};
[[nodiscard]] std::string to_packet(const notice& n);
[[nodiscard]] std::optional<notice> notice_from(std::string_view packet);

struct stop_request {
  batch_id batch;
  std::string reason;
  std::chrono::milliseconds grace{0};
  // Of a worker's batch: ask it to end these jobs and to go on; it is ended only where it does not within the grace. Empty: the
  // run, or the worker, is ended as a whole.
  std::vector<job_id> jobs = {};
};
// End the worker: at once when it is idle.
[[nodiscard]] std::string end_worker_packet(std::chrono::milliseconds grace);
[[nodiscard]] std::string to_packet(const stop_request& s);

} // namespace ferry::runners
