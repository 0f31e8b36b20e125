// shim.json: who this shim is. The same for each of its runs, so after the first it is another name of the same file, which costs
// the disk nothing.
#pragma once

#include "runners/run_directory.hpp"

namespace ferry::runners {

class shim_record {
public:
  shim_record();
  // Errors: disk_full, io.
  [[nodiscard]] result<void> put_into(int directory);

private:
  std::string text_;
  descriptor written_;
};

} // namespace ferry::runners
