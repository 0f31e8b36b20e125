# ferry_library(NAME SOURCES…): the static library ferry_NAME of one layer; includes are written from the root ("model/job.hpp").
function(ferry_library name)
  add_library(ferry_${name} STATIC ${ARGN})
  target_include_directories(ferry_${name} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

# ferry_precompile(TARGET HEADERS…): a precompiled header for the heavy headers of one target.
function(ferry_precompile target)
  target_precompile_headers(${target} PRIVATE ${ARGN})
endfunction()
