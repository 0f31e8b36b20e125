// Finding jobs by a part of their name, quickly and completely. SQLite walks about ten million rows a second at best, too slow for
// a million names in 50 ms; so the names of each 1,024 consecutive ids are also kept together as one blob, which is searched as
// plain memory (a million names of 20 bytes take 10 to 20 ms). A block is written when the first job beyond it is queued; the jobs
// after the last full block are read from their rows. Letters A–Z and a–z are the same; nothing else is folded.
//
// Format of a blob, little-endian: u32 count; count × u16 offset of the job in its block; count × u32 type; count × u32 end of its
// name; then the folded names one after the other. Jobs without a name are left out, and a block without names has no row.
#pragma once

#include "model/ids.hpp"
#include "storage/statements.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferry::storage {

inline constexpr std::int64_t names_per_block = 1024;
[[nodiscard]] constexpr std::int64_t block_of(job_id job) { return job.value / names_per_block; }

// ASCII letters in lower case.
[[nodiscard]] std::string fold_name(std::string_view name);

// Writes a block anew from the rows of its jobs: when it is full, and when one of its jobs was renamed.
void write_name_block(statement_cache& statements, std::int64_t block);

// The jobs whose name holds `part`, from the largest id down.
class name_search {
public:
  // `types`: only jobs of these; empty: any. `newest`: the largest job id there is.
  name_search(statement_cache& statements, std::string_view part, std::vector<std::int64_t> types, job_id newest);

  // The match with the largest id that is at most `bound`. Bounds must not increase from call to call.
  [[nodiscard]] std::optional<job_id> at_most(job_id bound);

private:
  void load(std::int64_t block);
  bool load_next_stored(std::int64_t at_most_block);
  void search(std::string_view blob, std::int64_t block);

  statement_cache& statements_;
  std::string part_;
  std::vector<std::int64_t> types_;
  std::int64_t tail_block_;           // the newest block, which is not written yet
  std::int64_t loaded_block_;         // matches_ holds those of this block; blocks above are done
  std::vector<std::int64_t> matches_; // ascending; consumed from the back
};

} // namespace ferry::storage
