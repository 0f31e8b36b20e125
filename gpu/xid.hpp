// NVIDIA's Xid errors: which of them say that the GPU itself cannot be used.
#pragma once

#include <optional>
#include <string>

namespace ferry::gpu {

// Why the GPU cannot be used after this error; nothing for errors that a program causes (13, 31, 43, 45, 68, 109: the list of
// NVIDIA's own device plugin for Kubernetes) and for those that the GPU has contained or only tells of (63, 92, 94). Names follow
// NVIDIA's catalogue (https://docs.nvidia.com/deploy/xid-errors/).
[[nodiscard]] std::optional<std::string> trouble_of_xid(unsigned number);

} // namespace ferry::gpu
