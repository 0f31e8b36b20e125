// The certificate by which TCP is served: read, and held to what a client will ask of it.
#pragma once

#include "config/settings.hpp"
#include "model/error.hpp"
#include "model/time.hpp"

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>
#include <vector>

namespace ferry::http {

struct tls_identity {
  std::shared_ptr<boost::asio::ssl::context> context; // TLS 1.2 and newer
  std::vector<std::string> names;                     // that it is for, in lower case: "gpu.example.org", "10.0.0.5", "[fd00::5]"
  std::vector<std::string> warnings;                  // it expires soon, its key can be read by others

  // By which a link may name an address that is listened on; `listens_on` itself where the certificate is for that.
  [[nodiscard]] std::string name_for_links(const std::string& listens_on) const;
};

// The context is null where the configuration names no certificate. Errors: invalid_argument naming the key of the configuration (a
// file that cannot be read or is no PEM, a key of another certificate or with a passphrase, a certificate that is not valid `now`).
[[nodiscard]] result<tls_identity> load_identity(const config::settings& settings, instant now);

} // namespace ferry::http
