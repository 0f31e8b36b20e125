// What torch_peer.py measured: lines "network,scale,side,batch,way,ms".
#pragma once

#include "model/error.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace ferry::upscale {

class peer_times {
public:
  [[nodiscard]] static result<peer_times> read(const std::filesystem::path& file);
  [[nodiscard]] std::optional<double> ms(const std::string& network, int scale, int side, int batch, const std::string& way) const;
  [[nodiscard]] bool empty() const { return times_.empty(); }

private:
  std::map<std::tuple<std::string, int, int, int, std::string>, double> times_;
};

} // namespace ferry::upscale
