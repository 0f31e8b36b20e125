// The program itself: run to its end, or spoken with as a worker.
#pragma once

#include "tests/gpu/upscale/image/made_pictures.hpp"

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ferry::upscale::test {

using json = nlohmann::json;

struct finished_run {
  int status = 0; // 128 + the signal that ended it
  std::string out, err;
};

// `environment` is added to this process's own.
[[nodiscard]] finished_run run_upscale(const std::vector<std::string>& arguments,
                                       const std::map<std::string, std::string>& environment = {});
// The same as the user nobody, where this process may become that; status 127 where it may not.
[[nodiscard]] finished_run run_upscale_as_nobody(const std::vector<std::string>& arguments);

// The lines of a file of events.
[[nodiscard]] std::vector<json> lines_of(const std::string& text);
// Those of one type, of one job.
[[nodiscard]] std::vector<json> of_type(const std::vector<json>& lines, const std::string& type, int job = 0);

class worker {
public:
  worker();
  ~worker(); // kills it if it still runs
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  void say(const std::string& line);
  void say(const json& line) { say(line.dump()); }
  void end_input();
  // The next line for which `wanted` holds; lines before it are remembered. Fails after a minute without.
  json wait_for(const std::function<bool(const json&)>& wanted);
  json wait_for_type(const std::string& type, int job = 0);
  void signal(int number) const;
  // Its exit status, once it has ended; what it still said is remembered.
  int wait();

  [[nodiscard]] const std::vector<json>& heard() const { return heard_; }

private:
  bool hear(); // false: it says no more

  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  std::string rest_;
  std::vector<json> heard_;
  std::size_t looked_at_ = 0;
};

// {"id":…,"params":{"source":…,"control_weight":0,…},"dir":…}
[[nodiscard]] json lanczos_job(int id, const std::filesystem::path& source, const std::filesystem::path& dir,
                               json more = json::object());

} // namespace ferry::upscale::test
