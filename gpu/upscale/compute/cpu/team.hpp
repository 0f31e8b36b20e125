// A fixed number of threads that work on one thing together, the caller's among them. Idle threads sleep.
#pragma once

#include <barrier>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ferry::upscale {

class team {
public:
  // Throws std::system_error when the system gives no more threads.
  explicit team(int threads);
  ~team();
  team(const team&) = delete;
  team& operator=(const team&) = delete;

  [[nodiscard]] int threads() const { return threads_; }

  // Calls work(0) on this thread and work(1) … work(threads - 1) on the others, and returns when all are done. `work` may not
  // throw. Denormal numbers count as zero meanwhile: they are far below a grey level, and cost a hundred times as much.
  void run(const std::function<void(int)>& work);

  // Inside work(): waits until all threads have come here.
  void wait_for_all() { together_.arrive_and_wait(); }

private:
  void serve(int index);
  void dismiss();

  int threads_;
  std::barrier<> together_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const std::function<void(int)>* work_ = nullptr; // null between runs
  unsigned long run_number_ = 0;
  int running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> others_;
};

} // namespace ferry::upscale
