// How many items a batch may have, where running out of memory has shown that the declared maximum is too many, or where memory is
// neither declared nor reported. Pure, deterministic (P7), bounded.
//
// Out of memory halves the cap of the key and puts a ceiling just below what failed; ten full batches that succeed raise the cap by
// one, up to the ceiling, which is forgotten after a day. Without anything known of its memory a type begins with single jobs and
// doubles with each full batch that succeeds.
#pragma once

#include "config/limits.hpp"
#include "model/error.hpp"
#include "model/job.hpp"
#include "model/time.hpp"
#include "scheduling/recent_keys.hpp"

#include <cstdint>

namespace ferry::scheduling {

// What bounds a batch besides what was learnt.
struct cap_rules {
  int items_max = 1;         // config::batch_rules::max_items
  bool memory_known = false; // declared by the type, or reported for the key
};

// Of one job type.
class batch_caps {
public:
  [[nodiscard]] int cap(std::uint64_t key, const cap_rules& rules, instant now) const;

  void succeeded(std::uint64_t key, int items, const cap_rules& rules, instant now);
  // A single item that runs out of memory says nothing about batches: see batch_memory.
  void ran_out_of_memory(std::uint64_t key, int items, instant now);
  // Other devices may have more memory: the ceilings are forgotten.
  void devices_changed();

  [[nodiscard]] json to_json() const;
  // Errors: damaged; newer_version.
  [[nodiscard]] static result<batch_caps> from_json(const json& stored);

private:
  // Of a key that ran out of memory.
  struct lowered {
    int cap = 1;
    int ceiling = 0; // 0: none
    int full = 0;    // batches that succeeded since the cap changed
    instant at{};    // when it last ran out
  };
  [[nodiscard]] static int most(const lowered& known, const cap_rules& rules, instant now);

  int proven_ = 1; // so many items are tried where nothing is known of memory: 1, 2, 4, 8
  recent_keys<lowered, limits::batch_keys_max> keys_;
};

} // namespace ferry::scheduling
