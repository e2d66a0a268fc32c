#include "kernels/overlap/traffic.h"

#include <algorithm>

#include "kernels/hbm/gather.h"
#include "kernels/hbm/reference.h"
#include "kernels/runner/hash.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {
namespace {

constexpr std::uint64_t seed = 71;
constexpr std::uint64_t GiB = std::uint64_t{1} << 30;
constexpr int page_shift = 15;
constexpr std::uint64_t page = std::uint64_t{1} << page_shift;

std::uint64_t pool_bytes(const Session& session) {
  std::uint64_t bytes = 16 * GiB;
  while (bytes > Traffic::step_bytes && 2 * bytes > session.free_bytes()) bytes /= 2;
  return bytes;
}

}  // namespace

Traffic::Traffic(Session& session)
    : session_(session),
      pool_(pool_bytes(session) / 4),
      table_(step_bytes / page),
      out_(step_bytes / unit_bytes),
      moved_(staging_bytes),
      host_out_(staging_bytes),
      host_in_(staging_bytes) {
  fill_u32(pool_.get(), pool_.size(), seed, session.stream());
  order_ = gather_table(step_bytes / page, pool_.bytes() / page, seed);
  table_.from_host(order_);
  std::fill_n(host_in_.get(), staging_bytes, static_cast<unsigned char>(0x5A));
  for (cudaStream_t* stream : {&copy_out_, &copy_in_}) {
    BRINK_CUDA_CHECK(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking));
  }
  for (cudaEvent_t* event : {&step_begin, &step_end, &copy_begin, &copy_end, &joined}) {
    BRINK_CUDA_CHECK(cudaEventCreate(event));
  }
  session.synchronize();
}

Traffic::~Traffic() {
  cudaStreamDestroy(copy_out_);
  cudaStreamDestroy(copy_in_);
  for (cudaEvent_t event : {step_begin, step_end, copy_begin, copy_end, joined}) cudaEventDestroy(event);
}

void Traffic::enqueue_step(cudaStream_t stream) const {
  enqueue_gather(pool_.get(), table_.get(), page_shift, step_bytes, out_.get(), stream);
}

void Traffic::verify_step() const {
  out_.poison(session_.stream());
  enqueue_step(session_.stream());
  const std::vector<std::uint32_t> got = out_.to_host(session_.stream());
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::uint64_t warp = i == 0 ? got.size() - 1 : hash_u32(72, i) % got.size();
    require_equal("XOR of warp " + std::to_string(warp), got[warp],
                  xor_of_gather(seed, order_, page, warp, unit_bytes));
  }
}

void Traffic::enqueue_copy(bool out, bool in, std::uint64_t block, std::uint64_t index) const {
  const std::uint64_t at = index * block % staging_bytes;
  const auto* kv = reinterpret_cast<const unsigned char*>(pool_.get());
  if (out) {
    BRINK_CUDA_CHECK(cudaMemcpyAsync(host_out_.get() + at, kv + index * block % pool_.bytes(), block,
                                     cudaMemcpyDeviceToHost, copy_out_));
  }
  if (in) {
    BRINK_CUDA_CHECK(
        cudaMemcpyAsync(moved_.get() + at, host_in_.get() + at, block, cudaMemcpyHostToDevice, copy_in_));
  }
}

}  // namespace brink::kernels
