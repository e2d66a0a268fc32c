#include "kernels/hbm/gather.h"

#include "kernels/runner/cuda_check.h"

namespace brink::kernels {
namespace {

__global__ void __launch_bounds__(stream_threads)
    gather_pages(const unsigned char* pool, const std::uint32_t* table, int page_shift, std::uint32_t* out) {
  const std::uint64_t warp = static_cast<std::uint64_t>(blockIdx.x) * (stream_threads / 32) + threadIdx.x / 32;
  const std::uint64_t in_page = (std::uint64_t{1} << page_shift) - 1;
  uint4 v[stream_depth];
#pragma unroll
  for (int i = 0; i < stream_depth; ++i) {
    const std::uint64_t at = warp * unit_bytes + static_cast<std::uint64_t>(i) * 512;
    const std::uint64_t page = __ldg(table + (at >> page_shift));
    const std::uint64_t byte = (page << page_shift) + (at & in_page) + threadIdx.x % 32 * 16;
    v[i] = *reinterpret_cast<const uint4*>(pool + byte);
  }
  std::uint32_t sum = 0;
#pragma unroll
  for (int i = 0; i < stream_depth; ++i) sum ^= v[i].x ^ v[i].y ^ v[i].z ^ v[i].w;
  sum = __reduce_xor_sync(0xffffffffU, sum);
  if (threadIdx.x % 32 == 0) out[warp] = sum;
}

}  // namespace

void enqueue_gather(const void* pool, const std::uint32_t* table, int page_shift, std::uint64_t bytes,
                    std::uint32_t* out, cudaStream_t stream) {
  gather_pages<<<static_cast<unsigned>(bytes / block_bytes_moved), stream_threads, 0, stream>>>(
      static_cast<const unsigned char*>(pool), table, page_shift, out);
  BRINK_CUDA_CHECK(cudaGetLastError());
}

}  // namespace brink::kernels
