// CAF as actors use it, whichever version it is.
#pragma once

#include "remote/compat.hpp"

namespace ferry::actors {

using compat::on_exit;
using compat::post;
using compat::request;
using compat::send;
using compat::send_later;
using compat::spawn;

} // namespace ferry::actors
