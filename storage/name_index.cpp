#include "storage/name_index.hpp"

#include <SQLiteCpp/Exception.h>
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <sqlite3.h>

namespace ferry::storage {
namespace {

static_assert(std::endian::native == std::endian::little, "name blocks are little-endian; add a byte swap for this machine");

constexpr const char* select_names = "SELECT id, type, name FROM jobs WHERE id >= ? AND id < ? AND name IS NOT NULL ORDER BY id";
constexpr const char* replace_block = "INSERT OR REPLACE INTO name_blocks (block, names) VALUES (?, ?)";
constexpr const char* delete_block = "DELETE FROM name_blocks WHERE block = ?";
constexpr const char* select_block = "SELECT block, names FROM name_blocks WHERE block <= ? ORDER BY block DESC LIMIT 1";

constexpr std::size_t count_bytes = 4, offset_bytes = 2, type_bytes = 4, end_bytes = 4;

template <class Number>
void put(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <class Number>
Number get(std::string_view bytes, std::size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

// The blob of one block, built from the rows of its jobs; empty when none of them has a name.
std::string encode_block(statement_cache& statements, std::int64_t block) {
  std::string offsets, types, ends, names;
  std::uint32_t count = 0;
  auto row = statements.query(select_names, block * names_per_block, (block + 1) * names_per_block);
  while (row.next()) {
    ++count;
    put(offsets, static_cast<std::uint16_t>(row.integer(0) - block * names_per_block));
    put(types, static_cast<std::uint32_t>(row.integer(1)));
    names += fold_name(row.view(2));
    put(ends, static_cast<std::uint32_t>(names.size()));
  }
  if (count == 0)
    return {};
  std::string blob;
  put(blob, count);
  return blob + offsets + types + ends + names;
}

struct decoded_block {
  std::size_t count;
  std::string_view offsets, types, ends, names;

  explicit decoded_block(std::string_view blob) : count(blob.size() < count_bytes ? 0 : get<std::uint32_t>(blob, 0)) {
    const std::size_t header = count_bytes + count * (offset_bytes + type_bytes + end_bytes);
    if (count > static_cast<std::size_t>(names_per_block) || header > blob.size())
      throw SQLite::Exception("a block of job names has a wrong length", SQLITE_CORRUPT);
    offsets = blob.substr(count_bytes, count * offset_bytes);
    types = blob.substr(count_bytes + offsets.size(), count * type_bytes);
    ends = blob.substr(count_bytes + offsets.size() + types.size(), count * end_bytes);
    names = blob.substr(header);
  }
  [[nodiscard]] std::size_t end(std::size_t entry) const { return get<std::uint32_t>(ends, entry * end_bytes); }
  [[nodiscard]] std::int64_t offset(std::size_t entry) const { return get<std::uint16_t>(offsets, entry * offset_bytes); }
  [[nodiscard]] std::int64_t type(std::size_t entry) const { return get<std::uint32_t>(types, entry * type_bytes); }
  // The entry whose name holds the byte at `position`, at or after `from`.
  [[nodiscard]] std::size_t entry_at(std::size_t position, std::size_t from) const {
    std::size_t low = from, high = count;
    while (low < high) {
      const auto middle = (low + high) / 2;
      if (end(middle) <= position)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }
};

} // namespace

std::string fold_name(std::string_view name) {
  std::string folded(name);
  for (char& c : folded)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return folded;
}

void write_name_block(statement_cache& statements, std::int64_t block) {
  const auto blob = encode_block(statements, block);
  if (blob.empty())
    statements.run(delete_block, block);
  else
    statements.run(replace_block, block, blob_view{blob});
}

name_search::name_search(statement_cache& statements, std::string_view part, std::vector<std::int64_t> types, job_id newest)
    : statements_(statements),
      part_(fold_name(part)),
      types_(std::move(types)),
      tail_block_(block_of(newest)),
      loaded_block_(std::numeric_limits<std::int64_t>::max()) {}

std::optional<job_id> name_search::at_most(job_id bound) {
  while (true) {
    while (!matches_.empty() && matches_.back() > bound.value)
      matches_.pop_back();
    if (!matches_.empty())
      return job_id{matches_.back()};
    const auto next = std::min(loaded_block_ - 1, block_of(bound));
    if (next < 0)
      return std::nullopt;
    if (next >= tail_block_)
      load(tail_block_);
    else if (!load_next_stored(next))
      return std::nullopt;
  }
}

void name_search::load(std::int64_t block) {
  loaded_block_ = block;
  search(encode_block(statements_, block), block);
}

bool name_search::load_next_stored(std::int64_t at_most_block) {
  auto row = statements_.query(select_block, at_most_block);
  if (!row.next()) {
    loaded_block_ = 0;
    return false;
  }
  loaded_block_ = row.integer(0);
  search(row.view(1), loaded_block_);
  return true;
}

void name_search::search(std::string_view blob, std::int64_t block) {
  matches_.clear();
  if (blob.empty())
    return;
  const decoded_block names(blob);
  std::size_t position = 0, entry = 0;
  while (entry < names.count) {
    const void* found = memmem(names.names.data() + position, names.names.size() - position, part_.data(), part_.size());
    if (!found)
      return;
    position = static_cast<std::size_t>(static_cast<const char*>(found) - names.names.data());
    entry = names.entry_at(position, entry);
    if (entry >= names.count)
      return;
    if (position + part_.size() > names.end(entry)) { // reaches into the next name
      ++position;
      continue;
    }
    if (types_.empty() || std::find(types_.begin(), types_.end(), names.type(entry)) != types_.end())
      matches_.push_back(block * names_per_block + names.offset(entry));
    position = names.end(entry);
    ++entry;
  }
}

} // namespace ferry::storage
