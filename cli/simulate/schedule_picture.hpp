// A schedule as a picture: devices over time, line below line as text is, so that a fortnight is as readable as a minute. What is
// loaded has a colour, loading is hatched, a batch of several jobs says how many.
#pragma once

#include "scheduling/simulator.hpp"

#include <string>

namespace ferry::cli {

// SVG with nothing that has to be fetched. What is narrower than a fraction of a pixel and hidden by its neighbour is left out, so
// its size depends on the length of the picture, not on how many jobs there are.
[[nodiscard]] std::string schedule_picture(const scheduling::simulation& day, const scheduling::schedule& played,
                                           const std::string& title);

} // namespace ferry::cli
