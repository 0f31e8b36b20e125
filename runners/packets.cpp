#include "runners/packets.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

namespace ferry::runners {
namespace {

constexpr std::size_t descriptors_max = 4;

void take_descriptors(msghdr& message, std::vector<descriptor>& into) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
      continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      into.emplace_back(fd);
    }
  }
}

} // namespace

receipt receive(int socket, packet& into) {
  into.descriptors.clear();
  alignas(cmsghdr) std::array<char, CMSG_SPACE(descriptors_max * sizeof(int))> control{};
  iovec piece{into.room.data(), into.room.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t size = 0;
  do
    size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (size < 0 && errno == EINTR);
  if (size < 0)
    return errno == EAGAIN || errno == EWOULDBLOCK ? receipt::nothing_yet : receipt::closed;
  take_descriptors(message, into.descriptors);
  into.bytes = {into.room.data(), static_cast<std::size_t>(size)};
  return size == 0 ? receipt::closed : receipt::got;
}

bool send(int socket, std::string_view bytes, const std::vector<int>& descriptors) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(descriptors_max * sizeof(int))> control{};
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (!descriptors.empty() && descriptors.size() <= descriptors_max) {
    const std::size_t size = descriptors.size() * sizeof(int);
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), descriptors.data(), size);
  }
  ssize_t sent = 0;
  do
    sent = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(bytes.size());
}

std::string to_packet(const notice& n) {
  nlohmann::json head{{"type", n.what == notice::kind::events ? "events" : "passing"}, {"batch", n.batch.value}};
  if (n.what == notice::kind::events)
    head["offset"] = n.offset;
  std::string packet = head.dump() + "\n";
  if (packet.size() + n.bytes.size() <= packet_bytes_max)
    packet += n.bytes;
  return packet;
}

std::optional<notice> notice_from(std::string_view packet) {
  const std::size_t end = packet.find('\n');
  if (end == std::string_view::npos)
    return std::nullopt;
  try {
    const auto head = nlohmann::json::parse(packet.substr(0, end));
    notice n;
    const std::string type = head.at("type").get<std::string>();
    if (type != "events" && type != "passing")
      return std::nullopt;
    n.what = type == "events" ? notice::kind::events : notice::kind::passing;
    n.batch = batch_id{head.at("batch").get<std::int64_t>()};
    n.offset = head.value("offset", std::int64_t{0});
    n.bytes = packet.substr(end + 1);
    return n;
  } catch (const nlohmann::json::exception&) { return std::nullopt; }
}

std::string to_packet(const stop_request& s) {
  nlohmann::json packet{{"type", "stop"}, {"batch", s.batch.value}, {"reason", s.reason}, {"grace_ms", s.grace.count()}};
  for (const job_id job : s.jobs)
    packet["jobs"].push_back(job.value);
  return packet.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string end_worker_packet(std::chrono::milliseconds grace) {
  return nlohmann::json{{"type", "end_worker"}, {"grace_ms", grace.count()}}.dump();
}

} // namespace ferry::runners
