#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

// Both compilers read this file: nvcc for kernels, the host's for the CPU references.
#ifdef __CUDACC__
#define BRINK_HOST_DEVICE __host__ __device__
#else
#define BRINK_HOST_DEVICE
#endif

namespace brink::kernels {

/// A well-mixed 32-bit hash of (seed, index): test data the CPU references recompute instead of
/// copying back. Mixer "lowbias32" of C. Wellons' hash prospector.
BRINK_HOST_DEVICE inline std::uint32_t hash_u32(std::uint64_t seed, std::uint64_t index) {
  auto mix = [](std::uint32_t x) {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    x ^= x >> 16;
    return x;
  };
  std::uint32_t x = mix(static_cast<std::uint32_t>(index) ^ static_cast<std::uint32_t>(seed));
  x ^= static_cast<std::uint32_t>(index >> 32) + static_cast<std::uint32_t>(seed >> 32) * 0x9e3779b9U;
  return mix(x + 0x9e3779b9U);
}

/// A value in [-1, 1) with 16 significant bits at most, so that float holds it exactly.
BRINK_HOST_DEVICE inline float hash_unit(std::uint64_t seed, std::uint64_t index) {
  return static_cast<float>(static_cast<std::int32_t>(hash_u32(seed, index)) >> 16) * (1.0F / 32768.0F);
}

/// A value in [-1, 1) that bfloat16 holds exactly (8 significant bits): k / 128.
BRINK_HOST_DEVICE inline float hash_bf16_unit(std::uint64_t seed, std::uint64_t index) {
  return static_cast<float>(static_cast<std::int32_t>(hash_u32(seed, index)) >> 24) * (1.0F / 128.0F);
}

/// FNV-1a, 64 bits, over 8-byte words and then the rest: the name of a bit pattern.
inline std::uint64_t hash_bytes(const void* data, std::size_t size) {
  constexpr std::uint64_t prime = 0x100000001b3ULL;
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto* bytes = static_cast<const unsigned char*>(data);
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes + i, 8);
    hash = (hash ^ word) * prime;
    hash ^= hash >> 32;
  }
  for (; i < size; ++i) hash = (hash ^ bytes[i]) * prime;
  return hash ^ (hash >> 29);
}

/// bfloat16 bits to float, exact.
BRINK_HOST_DEVICE inline float bf16_to_float(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
#ifdef __CUDA_ARCH__
  return __uint_as_float(wide);
#else
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
#endif
}

/// float to bfloat16 bits, round to nearest even; NaN stays NaN. Host side of the references.
inline std::uint16_t bf16_from_float(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  bits += 0x7fffU + ((bits >> 16) & 1U);
  return static_cast<std::uint16_t>(bits >> 16);
}

}  // namespace brink::kernels
