// What lets one text be compiled for the GPU by nvcc and for the host by the C++ compiler: the kernels' index functions and bodies
// are both, so that tests without a GPU run the very text that the GPU runs.
#pragma once

#if defined(__CUDACC__)
#define FERRY_HOST_DEVICE __host__ __device__
#define FERRY_KERNEL_PART __device__ __forceinline__
#define FERRY_UNROLL _Pragma("unroll")
#define FERRY_KEEP_LOOP _Pragma("unroll 1")
#else
#define FERRY_HOST_DEVICE
#define FERRY_KERNEL_PART inline
#define FERRY_UNROLL
#define FERRY_KEEP_LOOP
#endif
