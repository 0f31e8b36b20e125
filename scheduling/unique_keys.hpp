// The unique keys of queued and running jobs: while a job with a key is one of them, there is no second. A pure value.
#pragma once

#include "model/ids.hpp"

#include <optional>
#include <string>
#include <unordered_map>

namespace ferry::scheduling {

class unique_keys {
public:
  struct owner {
    job_id id;
    bool is_stored = false; // else its fact is on its way to the disk, which may refuse it
  };

  [[nodiscard]] std::optional<owner> find(const std::string& key) const {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? std::nullopt : std::optional(found->second);
  }
  // For a job on its way to the disk; the key is free.
  void reserve(const std::string& key, job_id id) {
    by_key_.insert_or_assign(key, owner{id});
    key_of_.insert_or_assign(id, key);
  }
  void restore(const std::string& key, job_id id) {
    reserve(key, id);
    stored(id);
  }
  void stored(job_id id) {
    if (const auto found = key_of_.find(id); found != key_of_.end())
      by_key_.at(found->second).is_stored = true;
  }
  // The job has ended, or was refused. Jobs without a key may be named too.
  void free(job_id id) {
    if (key_of_.empty())
      return;
    const auto found = key_of_.find(id);
    if (found == key_of_.end())
      return;
    by_key_.erase(found->second);
    key_of_.erase(found);
  }

private:
  std::unordered_map<std::string, owner> by_key_;
  std::unordered_map<job_id, std::string> key_of_;
};

} // namespace ferry::scheduling
