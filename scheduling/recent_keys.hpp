// A table of at most so many keys: the one that was used least recently makes room for a new one. All in O(1); its order depends on
// nothing but its use (P7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <unordered_map>
#include <utility>

namespace ferry::scheduling {

template <class Value, std::size_t keys_max>
class recent_keys {
public:
  using entry = std::pair<std::uint64_t, Value>;

  // Looks only: does not count as use. Null: there is none.
  [[nodiscard]] const Value* find(std::uint64_t key) const {
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : &found->second->second;
  }

  // The value of the key, which is `fresh` if it was not there. Valid until the key makes room for another.
  Value& use(std::uint64_t key, Value fresh = {}) {
    if (const auto found = places_.find(key); found != places_.end()) {
      entries_.splice(entries_.end(), entries_, found->second);
      return found->second->second;
    }
    if (places_.size() >= keys_max) {
      places_.erase(entries_.front().first);
      entries_.pop_front();
    }
    entries_.emplace_back(key, std::move(fresh));
    places_.emplace(key, std::prev(entries_.end()));
    return entries_.back().second;
  }

  [[nodiscard]] std::size_t size() const { return places_.size(); }
  void clear() {
    entries_.clear();
    places_.clear();
  }
  // From the least to the most recently used.
  [[nodiscard]] auto begin() const { return entries_.begin(); }
  [[nodiscard]] auto end() const { return entries_.end(); }
  [[nodiscard]] auto begin() { return entries_.begin(); }
  [[nodiscard]] auto end() { return entries_.end(); }

private:
  std::list<entry> entries_;
  std::unordered_map<std::uint64_t, typename std::list<entry>::iterator> places_;
};

} // namespace ferry::scheduling
