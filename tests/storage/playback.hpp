// A fixed story of facts, told to a store group by group as the storage actor does it, and what the store holds after each part of
// it. Tests compare what a failing disk left with these states: nothing between them is allowed.
#pragma once

#include "storage_support.hpp"

#include <optional>

namespace ferry::storage::test {

// One apply(). Messages up to and with one that `commits` are one transaction.
struct message {
  std::vector<fact> facts;
  submission from = {};
  std::vector<job_id> launched = {}; // whose parameters are read behind the facts, before the commit
  bool commits = false;
};

// Submits with and without keys, batches that start, end and are requeued, edits, holds, retries, clears and pauses.
[[nodiscard]] const std::vector<message>& whole_story();

// All that is stored in the folder, as text: what the queue is restored from and every row. Opens the store, which must pass a full
// check (PRAGMA integrity_check and foreign_key_check).
[[nodiscard]] std::string state_of(const std::filesystem::path& folder);

// What is stored after so many messages, as a store on a healthy disk has it; all differ.
[[nodiscard]] const std::vector<std::string>& states();
// The number of messages after which this is the state; none: it is a part of a group, or worse.
[[nodiscard]] std::optional<std::size_t> place_of(const std::string& state);

// Where folders are made for a disk that is simulated: in memory, if the system has such a place.
[[nodiscard]] std::filesystem::path memory_folder();
// Makes a folder hold an empty store.
void make_store(const std::filesystem::path& folder);
// A store that keeps little in memory and checkpoints often, so that few facts need every kind of operation.
[[nodiscard]] std::unique_ptr<job_store> open_restless(const std::filesystem::path& folder,
                                                       config::durability durability = config::durability::full);

class playback {
public:
  explicit playback(job_store& store, std::size_t from = 0) : store_(store), acknowledged_(from) {}

  // From the first message that is not acknowledged to the end, or to the end of the first transaction that met an error.
  // True: all are acknowledged.
  bool go_on();

  // Messages whose commit() answered success.
  [[nodiscard]] std::size_t acknowledged() const { return acknowledged_; }
  // A reopened store may hold this state: all that was acknowledged, and at most the whole of a transaction whose commit failed.
  [[nodiscard]] bool may_be(std::size_t place) const;
  [[nodiscard]] const std::vector<error>& refusals() const { return refusals_; }

private:
  job_store& store_;
  std::size_t acknowledged_;
  std::vector<std::size_t> in_doubt_; // where the transactions end that could not be committed
  std::vector<error> refusals_;
};

} // namespace ferry::storage::test
