#include "http/openapi_document.hpp"

#include <cstddef>

asm(".section .rodata\n"
    ".global ferry_openapi\n"
    "ferry_openapi:\n"
    ".incbin \"" FERRY_OPENAPI_FILE "\"\n"
    ".global ferry_openapi_end\n"
    "ferry_openapi_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" {
extern const char ferry_openapi[], ferry_openapi_end[];
}

namespace ferry::http {

std::string_view openapi_document() { return {ferry_openapi, static_cast<std::size_t>(ferry_openapi_end - ferry_openapi)}; }

} // namespace ferry::http
