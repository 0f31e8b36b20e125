# CUDA without CMake's own language CUDA: that would have to be enabled for the whole project, would give nvcc the warning flags of g++, and would make
# every program that links the engine need nvcc to link. Here nvcc compiles single files into objects; all else is C++.
#
#   FERRY_CUDA=AUTO|ON|OFF  AUTO: if nvcc (12.0 or newer) is found and takes our C++ compiler; ON: or else stop
#   FERRY_CUDA_FOUND        result
#   ferry_cuda_objects(VARIABLE files.cu…)  object files, for the sources of a library; link ferry_cudart with it
set(FERRY_CUDA AUTO CACHE STRING "Build the upscaler's CUDA engine: AUTO, ON or OFF")
set_property(CACHE FERRY_CUDA PROPERTY STRINGS AUTO ON OFF)
set(FERRY_CUDA_ARCHITECTURES "80;86;89;90" CACHE STRING "Devices to build for; the last also as PTX, for newer ones")

function(ferry_find_cuda)
  set(FERRY_CUDA_FOUND FALSE PARENT_SCOPE)
  if(NOT FERRY_CUDA MATCHES "^(AUTO|ON|OFF)$")
    message(FATAL_ERROR "FERRY_CUDA is ${FERRY_CUDA}; it can be AUTO, ON or OFF")
  endif()
  if(FERRY_CUDA STREQUAL "OFF")
    return()
  endif()
  find_program(FERRY_NVCC nvcc HINTS ENV CUDACXX ENV CUDA_PATH ENV CUDA_HOME PATHS /usr/local/cuda PATH_SUFFIXES bin)
  set(problem "")
  if(NOT FERRY_NVCC)
    set(problem "nvcc is neither on the PATH nor in /usr/local/cuda/bin")
  else()
    # Once for each nvcc and compiler: whether they get along, and which version it is.
    set(tried "${FERRY_NVCC} ${CMAKE_CXX_COMPILER} ${CMAKE_CXX_COMPILER_VERSION}")
    if(NOT "${FERRY_CUDA_TRIED}" STREQUAL "${tried}")
      file(WRITE ${CMAKE_BINARY_DIR}/ferry_cuda_try.cu
        "#include <bit>\n#include <cuda_fp16.h>\n#if CUDART_VERSION < 12000\n#error CUDA 12.0 or newer is needed\n#endif\n"
        "__global__ void kernel(const __grid_constant__ int n, int* to) { *to = n; }\n")
      execute_process(COMMAND ${FERRY_NVCC} -ccbin ${CMAKE_CXX_COMPILER} -std=c++20 -c ${CMAKE_BINARY_DIR}/ferry_cuda_try.cu
        -o ${CMAKE_BINARY_DIR}/ferry_cuda_try.o RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
      if(NOT status EQUAL 0)
        set(problem "${FERRY_NVCC} does not compile: ${output}")
      else()
        set(FERRY_CUDA_TRIED "${tried}" CACHE INTERNAL "nvcc and C++ compiler that are known to get along")
      endif()
    endif()
  endif()
  if(NOT problem)
    get_filename_component(real_nvcc ${FERRY_NVCC} REALPATH)
    get_filename_component(bin ${real_nvcc} DIRECTORY)
    get_filename_component(root ${bin} DIRECTORY)
    find_path(FERRY_CUDA_INCLUDE cuda_runtime_api.h HINTS ${root}/include ${root}/targets/x86_64-linux/include ${root}/targets/sbsa-linux/include)
    find_library(FERRY_CUDART cudart_static HINTS ${root}/lib64 ${root}/targets/x86_64-linux/lib ${root}/targets/sbsa-linux/lib)
    if(NOT FERRY_CUDA_INCLUDE OR NOT FERRY_CUDART)
      set(problem "there is ${FERRY_NVCC}, but not cuda_runtime_api.h and libcudart_static.a beside it")
    endif()
  endif()
  if(problem)
    if(FERRY_CUDA STREQUAL "ON")
      message(FATAL_ERROR "FERRY_CUDA=ON, but ${problem}")
    endif()
    message(STATUS "ferry-upscale: without CUDA (${problem})")
    return()
  endif()
  message(STATUS "ferry-upscale: with CUDA, ${FERRY_NVCC}, for sm ${FERRY_CUDA_ARCHITECTURES}")
  set(FERRY_CUDA_FOUND TRUE PARENT_SCOPE)
  if(NOT TARGET ferry_cudart)
    # The static run-time library looks for the driver when it is first called: programs start without one.
    add_library(ferry_cudart INTERFACE)
    target_include_directories(ferry_cudart SYSTEM INTERFACE ${FERRY_CUDA_INCLUDE})
    target_link_libraries(ferry_cudart INTERFACE ${FERRY_CUDART} Threads::Threads ${CMAKE_DL_LIBS} rt)
  endif()
endfunction()

function(ferry_cuda_objects variable)
  set(flags -std=c++20 -O3 --expt-relaxed-constexpr -I ${CMAKE_SOURCE_DIR} -ccbin ${CMAKE_CXX_COMPILER} --threads 2
    -Xcompiler=-fPIE,-Wall,-Wextra,-Wno-unknown-pragmas)
  foreach(architecture ${FERRY_CUDA_ARCHITECTURES})
    list(APPEND flags -gencode arch=compute_${architecture},code=sm_${architecture})
    set(newest ${architecture})
  endforeach()
  list(APPEND flags -gencode arch=compute_${newest},code=compute_${newest})
  set(objects "")
  foreach(source ${ARGN})
    get_filename_component(name ${source} NAME_WE)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.cu.o)
    add_custom_command(OUTPUT ${object} COMMAND ${FERRY_NVCC} ${flags} -MD -MF ${object}.d -MT ${object} -c ${source} -o ${object}
      DEPENDS ${source} DEPFILE ${object}.d WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} COMMENT "nvcc ${source}" VERBATIM
      COMMAND_EXPAND_LISTS)
    list(APPEND objects ${object})
  endforeach()
  set(${variable} ${objects} PARENT_SCOPE)
endfunction()
