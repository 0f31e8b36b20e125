// OpenSSL keeps what went wrong in a queue of the thread, and SSL_get_error() looks there first: before each call the queue has to
// be emptied (SSL_get_error(3)). CAF 0.18 does not do that, and serves all connections by one thread, so that a stranger who hangs
// up during the handshake would break the connections of nodes, which are well. The linker (--wrap, see CMakeLists.txt) leads CAF's
// calls here. Where CAF is a shared library it cannot.
#include <openssl/err.h>
#include <openssl/ssl.h>

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker gives these names
extern "C" {

int __real_SSL_read(SSL* of, void* to, int size);
int __real_SSL_write(SSL* of, const void* from, int size);
int __real_SSL_connect(SSL* of);
int __real_SSL_accept(SSL* of);

int __wrap_SSL_read(SSL* of, void* to, int size) {
  ERR_clear_error();
  return __real_SSL_read(of, to, size);
}

int __wrap_SSL_write(SSL* of, const void* from, int size) {
  ERR_clear_error();
  return __real_SSL_write(of, from, size);
}

int __wrap_SSL_connect(SSL* of) {
  ERR_clear_error();
  return __real_SSL_connect(of);
}

int __wrap_SSL_accept(SSL* of) {
  ERR_clear_error();
  return __real_SSL_accept(of);
}

} // extern "C"
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
