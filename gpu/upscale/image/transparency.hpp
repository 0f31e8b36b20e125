// What lies under full transparency. Such pixels have no colour that anybody sees, yet editors leave black, white or rubbish there,
// and a network that sees it draws an edge where there is none and lets it shine through at the rim.
#pragma once

#include "gpu/upscale/image/picture.hpp"

namespace ferry::upscale {

// Gives each fully transparent pixel the mean colour of its nearest visible neighbours, ring after ring. Visible pixels stay as
// they are.
void fill_transparent(picture& into);

} // namespace ferry::upscale
