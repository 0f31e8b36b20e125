// toml++ compiled once, into ferry itself: loading a shared library would cost the command line more than reading its file does.
#define TOML_IMPLEMENTATION
#include <toml++/toml.h>
