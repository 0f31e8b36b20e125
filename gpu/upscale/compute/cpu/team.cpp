#include "gpu/upscale/compute/cpu/team.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace ferry::upscale {
namespace {

// Flush to zero and denormals are zero, put back as they were afterwards.
class without_denormals {
public:
#if defined(__x86_64__)
  without_denormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040U); }
  ~without_denormals() { _mm_setcsr(before_); }
#else
  without_denormals() = default;
  ~without_denormals() {} // NOLINT(modernize-use-equals-default): not trivial, so that no compiler calls the object unused
#endif
  without_denormals(const without_denormals&) = delete;
  without_denormals& operator=(const without_denormals&) = delete;

private:
#if defined(__x86_64__)
  unsigned before_;
#endif
};

} // namespace

team::team(int threads) : threads_(threads), together_(threads) {
  try {
    for (int index = 1; index < threads; ++index)
      others_.emplace_back([this, index] { serve(index); });
  } catch (...) { // the system gives no more threads: those that run must end before this object does
    dismiss();
    throw;
  }
}

team::~team() { dismiss(); }

void team::dismiss() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& other : others_)
    other.join();
}

void team::run(const std::function<void(int)>& work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    running_ = threads_ - 1;
    ++run_number_;
  }
  wake_.notify_all();
  {
    const without_denormals guard;
    work(0);
  }
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
  work_ = nullptr;
}

void team::serve(int index) {
  const without_denormals guard;
  unsigned long seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stopping_ || run_number_ != seen; });
    if (stopping_)
      return;
    seen = run_number_;
    const auto* work = work_;
    lock.unlock();
    (*work)(index);
    lock.lock();
    if (--running_ == 0)
      done_.notify_one();
  }
}

} // namespace ferry::upscale
