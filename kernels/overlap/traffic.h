#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

#include "kernels/runner/device_memory.h"
#include "kernels/runner/session.h"

namespace brink::kernels {

/// Memory traffic of decoding: scattered 32 KiB pages read once a step, and KV blocks that a copy
/// engine moves between the device and page-locked host memory meanwhile.
class Traffic {
 public:
  explicit Traffic(Session& session);
  ~Traffic();
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  void enqueue_step(cudaStream_t stream) const;
  /// Poisons the output, runs one step and compares part of it with the reference.
  void verify_step() const;
  /// One block of every direction asked for, `block` bytes each; both streams have their own engine.
  void enqueue_copy(bool out, bool in, std::uint64_t block, std::uint64_t index) const;

  cudaStream_t first_copy_stream(bool out) const { return out ? copy_out_ : copy_in_; }
  cudaStream_t other_copy_stream(bool out) const { return out ? copy_in_ : copy_out_; }

  static constexpr std::uint64_t step_bytes = std::uint64_t{2} << 30;
  static constexpr std::uint64_t staging_bytes = std::uint64_t{256} << 20;

  cudaEvent_t step_begin = nullptr, step_end = nullptr, copy_begin = nullptr, copy_end = nullptr, joined = nullptr;

 private:
  Session& session_;
  DeviceArray<std::uint32_t> pool_;
  DeviceArray<std::uint32_t> table_;
  DeviceArray<std::uint32_t> out_;
  DeviceArray<unsigned char> moved_;
  PinnedBytes host_out_, host_in_;
  std::vector<std::uint32_t> order_;
  cudaStream_t copy_out_ = nullptr;
  cudaStream_t copy_in_ = nullptr;
};

}  // namespace brink::kernels
