#include "bench/upscale_cuda/peer.hpp"

#include <fstream>
#include <sstream>

namespace ferry::upscale {

result<peer_times> peer_times::read(const std::filesystem::path& file) {
  peer_times made;
  std::ifstream in(file);
  if (!in)
    return fail(error_code::io, file.string() + " cannot be read");
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    std::istringstream fields(line);
    std::string network, way;
    int scale = 0, side = 0, batch = 0;
    double ms = 0;
    char comma = 0;
    if (!std::getline(fields, network, ',') || !(fields >> scale >> comma >> side >> comma >> batch >> comma) ||
        !std::getline(fields, way, ',') || !(fields >> ms))
      return fail(error_code::damaged, file.string() + ":" + std::to_string(number) + ": not network,scale,side,batch,way,ms");
    made.times_[{network, scale, side, batch, way}] = ms;
  }
  return made;
}

std::optional<double> peer_times::ms(const std::string& network, int scale, int side, int batch, const std::string& way) const {
  const auto found = times_.find({network, scale, side, batch, way});
  return found == times_.end() ? std::nullopt : std::optional(found->second);
}

} // namespace ferry::upscale
