// A program run beside this one, without a shell: fed through its standard input, read through its standard output. What it writes
// to standard error is drained as it comes, so that it never waits for us, and the end of it kept for error messages.
#pragma once

#include "model/error.hpp"

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace ferry::upscale {

class child_process {
public:
  struct setup {
    std::vector<std::string> argv; // argv[0] is looked up on PATH
    bool is_fed = false;           // by write(); otherwise its input is empty
    bool is_read = false;          // by read(); otherwise its output is thrown away
  };

  // Errors: not_found (no such program, with the package to install), io.
  [[nodiscard]] static result<std::unique_ptr<child_process>> start(const setup& what);
  ~child_process(); // kills it if it still runs
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  // False: it no longer listens; wait() and complaints() say why.
  [[nodiscard]] bool write(std::span<const unsigned char> bytes);
  void end_input();

  // Fills all of `bytes`; fewer only at the end of its output.
  [[nodiscard]] std::size_t read(std::span<unsigned char> bytes);

  // Its exit status, 128 + the signal that ended it.
  [[nodiscard]] int wait();
  // The last 4 KiB of what it said on standard error, without line ends; whole after wait().
  [[nodiscard]] std::string complaints();

private:
  child_process() = default;
  void drain();

  pid_t pid_ = -1;
  int input_ = -1, output_ = -1, errors_ = -1;
  int status_ = 0;
  std::thread drainer_;
  std::mutex mutex_; // guards what follows
  std::string complaints_;
};

// Runs a program to its end and answers what it printed. Errors: not_found; too_large; damaged with its complaints where it ends
// with a status other than 0.
[[nodiscard]] result<std::string> output_of(const std::vector<std::string>& argv);

// What ffmpeg said, in a form for one line; without the hidden names that it was given.
[[nodiscard]] std::string first_line(const std::string& complaints);

} // namespace ferry::upscale
