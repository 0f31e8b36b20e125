// The GPU as a machine in the sense of convolution_body.hpp: PTX for copies and matrix instructions.
#pragma once

#include "gpu/upscale/compute/cuda/convolution_body.hpp"
#include "gpu/upscale/compute/cuda/kernels/kernels.hpp"

#include <cuda_fp16.h>

namespace ferry::upscale::cuda {

struct device_machine {
  template <class T>
  struct own {
    T value;
    __device__ __forceinline__ T& operator[](int) { return value; }
  };
  template <class T>
  using per_thread = own<T>;
  template <class T>
  using per_warp = own<T>;
  template <class T>
  using lanes = T;

  unsigned shared; // address of the block's shared memory in its window

  __device__ __forceinline__ int block() const { return static_cast<int>(blockIdx.x); }

  template <class F>
  __device__ __forceinline__ void threads(F&& f) const {
    f(static_cast<int>(threadIdx.x));
  }
  template <class F>
  __device__ __forceinline__ void warps(F&& f) const {
    f(static_cast<int>(threadIdx.x) / lanes_of_warp);
  }
  template <class F>
  __device__ __forceinline__ auto each_lane(F&& f) const {
    return f(static_cast<int>(threadIdx.x) % lanes_of_warp);
  }
  template <class F>
  __device__ __forceinline__ void for_lanes(F&& f) const {
    f(static_cast<int>(threadIdx.x) % lanes_of_warp);
  }
  template <class T>
  __device__ __forceinline__ T& of_lane(T& value, int) const {
    return value;
  }

  __device__ __forceinline__ void copy(int to, const std::byte* from, bool inside) const {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared + static_cast<unsigned>(to)),
                 "l"(__cvta_generic_to_global(from)), "r"(inside ? 16 : 0)
                 : "memory");
  }
  __device__ __forceinline__ void commit() const { asm volatile("cp.async.commit_group;" ::: "memory"); }
  template <int pending>
  __device__ __forceinline__ void wait() const {
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
  }
  __device__ __forceinline__ void barrier() const { __syncthreads(); }

  __device__ __forceinline__ void launch_next() const {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
  }
  __device__ __forceinline__ void wait_for_previous() const {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
  }

  __device__ __forceinline__ words load_words(int base, int constant) const {
    words w;
    asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(w.at[0]), "=r"(w.at[1]), "=r"(w.at[2]), "=r"(w.at[3])
                 : "r"(shared + static_cast<unsigned>(base) + static_cast<unsigned>(constant)));
    return w;
  }
  __device__ __forceinline__ quad load_quad(int base, int constant) const {
    const words w = load_words(base, constant);
    return quad{{__uint_as_float(w.at[0]), __uint_as_float(w.at[1]), __uint_as_float(w.at[2]), __uint_as_float(w.at[3])}};
  }
  template <class Numbers>
  __device__ __forceinline__ words load_matrices(int base, int constant) const {
    words w;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(w.at[0]), "=r"(w.at[1]), "=r"(w.at[2]), "=r"(w.at[3])
                 : "r"(shared + static_cast<unsigned>(base) + static_cast<unsigned>(constant)));
    if constexpr (Numbers::plane_channels == 8) {
      FERRY_UNROLL
      for (int i = 0; i < 4; ++i)
        asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(w.at[i]) : "f"(__uint_as_float(w.at[i])));
    }
    return w;
  }

  __device__ __forceinline__ void multiply(fp16_numbers, quad& sums, const words& pixels, const words& weights, int matrix) const {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums.at[0]), "+f"(sums.at[1]), "+f"(sums.at[2]), "+f"(sums.at[3])
        : "r"(pixels.at[0]), "r"(pixels.at[1]), "r"(pixels.at[2]), "r"(pixels.at[3]), "r"(weights.at[2 * matrix]),
          "r"(weights.at[2 * matrix + 1]));
  }
  __device__ __forceinline__ void multiply(tf32_numbers, quad& sums, const words& pixels, const words& weights, int matrix) const {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums.at[0]), "+f"(sums.at[1]), "+f"(sums.at[2]), "+f"(sums.at[3])
        : "r"(pixels.at[0]), "r"(pixels.at[1]), "r"(pixels.at[2]), "r"(pixels.at[3]), "r"(weights.at[2 * matrix]),
          "r"(weights.at[2 * matrix + 1]));
  }
  __device__ __forceinline__ void accumulate(quad& sums, const quad& pixels, int k, const quad& weights, int matrix,
                                             int side) const {
    sums.at[2 * side] = fmaf(pixels.at[k], weights.at[2 * matrix], sums.at[2 * side]);
    sums.at[2 * side + 1] = fmaf(pixels.at[k], weights.at[2 * matrix + 1], sums.at[2 * side + 1]);
  }

  __device__ __forceinline__ quad read_bias(const float* from) const {
    const float4 f = __ldg(reinterpret_cast<const float4*>(from));
    return quad{{f.x, f.y, f.z, f.w}};
  }
  __device__ __forceinline__ quad read(fp16_numbers, const std::byte* from, bool inside) const {
    uint2 w = make_uint2(0, 0);
    if (inside)
      w = __ldcg(reinterpret_cast<const uint2*>(from));
    const float2 low = __half22float2(*reinterpret_cast<const __half2*>(&w.x));
    const float2 high = __half22float2(*reinterpret_cast<const __half2*>(&w.y));
    return quad{{low.x, low.y, high.x, high.y}};
  }
  __device__ __forceinline__ quad read(tf32_numbers, const std::byte* from, bool inside) const {
    return read(fp32_numbers{}, from, inside);
  }
  __device__ __forceinline__ quad read(fp32_numbers, const std::byte* from, bool inside) const {
    float4 f = make_float4(0, 0, 0, 0);
    if (inside)
      f = __ldcg(reinterpret_cast<const float4*>(from));
    return quad{{f.x, f.y, f.z, f.w}};
  }
  __device__ __forceinline__ void write(fp16_numbers, std::byte* to, const quad& q) const {
    const __half2 low = __floats2half2_rn(q.at[0], q.at[1]);
    const __half2 high = __floats2half2_rn(q.at[2], q.at[3]);
    *reinterpret_cast<uint2*>(to) = make_uint2(*reinterpret_cast<const unsigned*>(&low), *reinterpret_cast<const unsigned*>(&high));
  }
  __device__ __forceinline__ void write(tf32_numbers, std::byte* to, const quad& q) const { write(fp32_numbers{}, to, q); }
  __device__ __forceinline__ void write(fp32_numbers, std::byte* to, const quad& q) const {
    *reinterpret_cast<float4*>(to) = make_float4(q.at[0], q.at[1], q.at[2], q.at[3]);
  }
  __device__ __forceinline__ float read_colour(const float* from) const { return __ldcg(from); }
  __device__ __forceinline__ float rounded(fp16_numbers, float number) const { return __half2float(__float2half_rn(number)); }
  __device__ __forceinline__ float rounded(tf32_numbers, float number) const {
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(number));
    return __uint_as_float(bits & 0xFFFFE000U);
  }
  __device__ __forceinline__ float rounded(fp32_numbers, float number) const { return number; }
  __device__ __forceinline__ void write_colour(float* to, float colour) const { *to = colour; }
};

// How many blocks share a multiprocessor, which bounds a thread's registers: 168 for three blocks of 128 threads, 255 for two,
// where sums alone take 96 or more or shared memory (227 KiB on sm_90) has no room for a third.
template <class Shape>
inline constexpr int blocks_wanted = Shape::warp_rows* Shape::warp_groups * 8 >= 96 || Shape::shared_bytes * 3 > 227 * 1024 ? 2 : 3;

template <class Numbers, class Shape>
__global__ void __launch_bounds__(Shape::threads, blocks_wanted<Shape>)
    convolution_kernel(const __grid_constant__ convolution_parameters p) {
  extern __shared__ __align__(128) unsigned char shared[];
  device_machine machine{static_cast<unsigned>(__cvta_generic_to_shared(shared))};
  convolve<Numbers, Shape>(machine, p);
}

template <class Numbers, int Kernel, int Groups, int Rows>
[[nodiscard]] kernel kernel_of() {
  using shape = tile_shape<Kernel, Groups, Rows>;
  return {reinterpret_cast<const void*>(&convolution_kernel<Numbers, shape>), static_cast<unsigned>(shape::threads),
          static_cast<unsigned>(shape::shared_bytes)};
}

} // namespace ferry::upscale::cuda
