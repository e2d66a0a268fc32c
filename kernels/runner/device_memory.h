#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/runner/cuda_check.h"

namespace brink::kernels {

/// Device memory from cudaMalloc, never managed memory. Not initialised.
template <typename T>
class DeviceArray {
 public:
  DeviceArray() = default;
  explicit DeviceArray(std::size_t count) : count_(count) {
    if (count > 0) BRINK_CUDA_CHECK(cudaMalloc(reinterpret_cast<void**>(&data_), count * sizeof(T)));
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(DeviceArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }

  T* get() const { return data_; }
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return count_ * sizeof(T); }

  /// All bytes 0xFF: NaN in every float format, so that an element never written shows.
  void poison(cudaStream_t stream) const { BRINK_CUDA_CHECK(cudaMemsetAsync(data_, 0xFF, bytes(), stream)); }
  /// Waits for the stream, then copies `count` elements from `first` on (all by default) to the host.
  std::vector<T> to_host(cudaStream_t stream, std::size_t first = 0, std::size_t count = SIZE_MAX) const {
    if (first > count_) first = count_;
    if (count > count_ - first) count = count_ - first;
    std::vector<T> host(count);
    BRINK_CUDA_CHECK(cudaStreamSynchronize(stream));
    if (count > 0) BRINK_CUDA_CHECK(cudaMemcpy(host.data(), data_ + first, count * sizeof(T), cudaMemcpyDeviceToHost));
    return host;
  }
  /// Copies the host's elements to the front of this array; done when it returns.
  void from_host(const std::vector<T>& host) {
    if (host.size() > count_) throw std::out_of_range("DeviceArray::from_host: more elements than the array holds");
    if (host.empty()) return;
    BRINK_CUDA_CHECK(cudaMemcpy(data_, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
    BRINK_CUDA_CHECK(cudaDeviceSynchronize());  // the copy is ordered before work on non-blocking streams
  }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

/// Page-locked host memory.
class PinnedBytes {
 public:
  explicit PinnedBytes(std::size_t size) : size_(size) { BRINK_CUDA_CHECK(cudaMallocHost(&data_, size)); }
  ~PinnedBytes() { cudaFreeHost(data_); }
  PinnedBytes(const PinnedBytes&) = delete;
  PinnedBytes& operator=(const PinnedBytes&) = delete;
  unsigned char* get() const { return static_cast<unsigned char*>(data_); }
  std::size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_;
};

/// Fills with hash_u32 / hash_unit / hash_bf16_unit of (seed, index): see hash.h.
void fill_u32(std::uint32_t* data, std::size_t count, std::uint64_t seed, cudaStream_t stream);
void fill_float(float* data, std::size_t count, std::uint64_t seed, cudaStream_t stream);
/// `data` is bfloat16; `scale` must be a power of two for the values to stay exact.
void fill_bf16(void* data, std::size_t count, std::uint64_t seed, float scale, cudaStream_t stream);

}  // namespace brink::kernels
