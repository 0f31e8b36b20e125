# Options and compiler settings of every target.
option(FERRY_BUILD_TESTS "Build the tests" ON)
option(FERRY_BUILD_BENCH "Build the benchmarks" ON)
option(FERRY_WARNINGS_AS_ERRORS "Treat warnings as errors" OFF)
option(FERRY_FUZZ "Build the fuzzers (clang; with AddressSanitizer and UndefinedBehaviorSanitizer)" OFF)
set(FERRY_SANITIZER "" CACHE STRING "address or thread: build with that sanitizer")
set(CAF_ROOT "" CACHE PATH "Where CAF >= 0.18.7 is installed (scripts/setup writes it)")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Precompiled headers need these sloppiness settings; the base directory lets clones in other folders share the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
  add_compile_options(-fpch-preprocess)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wno-missing-field-initializers)
if(FERRY_WARNINGS_AS_ERRORS)
  add_compile_options(-Werror)
endif()
# GCC 12 at -O2 reports uses after free, restricted overlaps and dangling pointers inside CAF's, Asio's and libstdc++'s own headers.
add_compile_options(-Wno-error=use-after-free -Wno-error=restrict -Wno-error=dangling-pointer -Wno-error=maybe-uninitialized
                    -Wno-error=array-bounds -Wno-error=stringop-overflow)

if(FERRY_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "FERRY_FUZZ needs clang 15 or newer (CMAKE_CXX_COMPILER), not ${CMAKE_CXX_COMPILER_ID}")
  endif()
  set(FERRY_SANITIZER address CACHE STRING "address or thread: build with that sanitizer" FORCE)
  add_compile_options(-fsanitize=fuzzer-no-link -Wno-unused-command-line-argument)
endif()
if(FERRY_SANITIZER)
  add_compile_options(-fsanitize=${FERRY_SANITIZER} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${FERRY_SANITIZER})
  if(FERRY_SANITIZER STREQUAL "address")
    add_compile_options(-fsanitize=undefined -fno-sanitize-recover=undefined)
    add_link_options(-fsanitize=undefined)
  endif()
endif()
