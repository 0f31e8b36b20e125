#include "bench/limits.hpp"

#include "bench/processes.hpp"
#include "bench/statistics.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <numeric>
#include <sqlite3.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace ferry::bench {

namespace fs = std::filesystem;

disturbance measure_disturbance(double seconds) {
  disturbance found;
  double lost_ms = 0;
  const auto start = clock::now();
  for (auto before = start; std::chrono::duration<double>(before - start).count() < seconds;) {
    const auto after = clock::now();
    const double gap_ms = std::chrono::duration<double, std::milli>(after - before).count();
    if (gap_ms > 0.1) {
      lost_ms += gap_ms;
      found.longest_ms = std::max(found.longest_ms, gap_ms);
    }
    before = after;
  }
  found.lost_percent = lost_ms / (seconds * 10);
  return found;
}

// `in_place`: over the same 4 MiB again and again, else at the end of a growing file.
double measure_syncs(const fs::path& folder, bool in_place, double seconds) {
  const fs::path file = folder / "sync.dat";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0)
    throw std::runtime_error(file.string() + ": " + std::strerror(errno));
  const std::vector<char> block(4096, 'f');
  constexpr off_t blocks = 1024;
  const auto write_block = [&](off_t index) {
    if (::pwrite(descriptor, block.data(), block.size(), index * static_cast<off_t>(block.size())) < 0)
      throw std::runtime_error(file.string() + ": " + std::strerror(errno));
  };
  if (in_place) {
    for (off_t i = 0; i < blocks; ++i)
      write_block(i);
    ::fsync(descriptor);
  }
  off_t next = 0;
  const auto start = clock::now();
  while (seconds_since(start) < seconds) {
    write_block(in_place ? next++ % blocks : next++);
    ::fdatasync(descriptor);
  }
  const double rate = static_cast<double>(next) / seconds_since(start);
  ::close(descriptor);
  fs::remove(file);
  return rate;
}

double measure_spawns(std::size_t at_once, double seconds) {
  std::vector<double> counts(at_once, 0);
  std::vector<std::thread> threads;
  const auto start = clock::now();
  for (double& count : counts)
    threads.emplace_back([&count, start, seconds] {
      prepared_program nothing({.argv = {"true"}});
      for (; seconds_since(start) < seconds; ++count)
        nothing.run();
    });
  for (std::thread& t : threads)
    t.join();
  return std::accumulate(counts.begin(), counts.end(), 0.0) / seconds_since(start);
}

double measure_rows(const fs::path& folder, std::size_t group, double seconds) {
  const fs::path file = folder / "rows.db";
  sqlite3* database = nullptr;
  sqlite3_stmt *begin = nullptr, *insert = nullptr, *commit = nullptr;
  const auto must = [&](int code) {
    if (code != SQLITE_OK && code != SQLITE_DONE)
      throw std::runtime_error("SQLite: " + std::string(sqlite3_errmsg(database)));
  };
  const auto step = [&](sqlite3_stmt* statement) {
    must(sqlite3_step(statement));
    must(sqlite3_reset(statement));
  };
  must(sqlite3_open(file.c_str(), &database));
  must(sqlite3_exec(
      database,
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE facts (id INTEGER PRIMARY KEY, what TEXT NOT NULL) STRICT",
      nullptr, nullptr, nullptr));
  must(sqlite3_prepare_v2(database, "BEGIN IMMEDIATE", -1, &begin, nullptr));
  must(sqlite3_prepare_v2(database, "INSERT INTO facts (what) VALUES (?1)", -1, &insert, nullptr));
  must(sqlite3_prepare_v2(database, "COMMIT", -1, &commit, nullptr));
  const std::string what(100, 'f');
  double rows = 0;
  const auto start = clock::now();
  while (seconds_since(start) < seconds) {
    step(begin);
    for (std::size_t i = 0; i < group; ++i, ++rows) {
      must(sqlite3_bind_text(insert, 1, what.data(), static_cast<int>(what.size()), SQLITE_STATIC));
      step(insert);
    }
    step(commit);
  }
  const double rate = rows / seconds_since(start);
  for (sqlite3_stmt* statement : {begin, insert, commit})
    sqlite3_finalize(statement);
  sqlite3_close(database);
  for (const char* suffix : {"", "-wal", "-shm"})
    fs::remove(file.string() + suffix);
  return rate;
}

machine_limits measure_limits(const fs::path& folder, double seconds) {
  return {.syncs = measure_syncs(folder, false, seconds),
          .syncs_in_place = measure_syncs(folder, true, seconds),
          .spawns = measure_spawns(1, seconds),
          .spawns_two = measure_spawns(2, seconds),
          .rows_1 = measure_rows(folder, 1, seconds),
          .rows_10 = measure_rows(folder, 10, seconds),
          .rows_100 = measure_rows(folder, 100, seconds)};
}

} // namespace ferry::bench
