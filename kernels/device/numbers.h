#pragma once
// Number formats and keyed random numbers that mean the same on the host and in device code.
#include <cstdint>
#include <cstring>

#include "kernels/runner/hash.h"

namespace brink::kernels {

BRINK_HOST_DEVICE inline float float_of_bits(std::uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

/// e4m3 (bias 7, no infinity, 0x7f and 0xff are NaN) as float; exact.
BRINK_HOST_DEVICE inline float e4m3_to_float(std::uint8_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x80u) << 24;
  const std::uint32_t exponent = (bits >> 3) & 0xfu;
  const std::uint32_t mantissa = bits & 0x7u;
  if (exponent == 15 && mantissa == 7) return float_of_bits(sign | 0x7fc00000u);
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0.001953125f;  // subnormal step 2^-9
    return sign != 0 ? -magnitude : magnitude;
  }
  return float_of_bits(sign | ((exponent + 120u) << 23) | (mantissa << 20));
}

/// splitmix64's finaliser (Steele, Lea, Flood 2014): a bijection of 64-bit words.
BRINK_HOST_DEVICE inline std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/// Near-normal value of mean 0 and deviation 1 (four uniforms summed), keyed by (seed, index): the toggling of
/// operand bits, hence power and clocks, is then that of trained weights, which zeros or constants would not give.
BRINK_HOST_DEVICE inline float keyed_normal(std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t word = mix64(seed ^ mix64(index));
  std::int32_t sum = 0;
  for (int i = 0; i < 4; ++i) sum += static_cast<std::int32_t>((word >> (16 * i)) & 0xffffu);
  // The sum of four uniforms on [0, 65535] has mean 131070 and deviation 37837.
  return static_cast<float>(sum - 131070) * (1.0f / 37837.0f);
}

/// e4m3 bits of magnitude 2^-4..1.875 and either sign, keyed by (seed, index); never NaN.
BRINK_HOST_DEVICE inline std::uint8_t keyed_e4m3(std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t word = mix64(seed ^ mix64(index));
  const std::uint32_t exponent = 3u + static_cast<std::uint32_t>(word & 0xffffu) * 5u / 65536u;
  return static_cast<std::uint8_t>(((word >> 16) & 0x80u) | (exponent << 3) | ((word >> 32) & 7u));
}

/// One 16-bit word at a position of a row, as a term of the row's hash: the hash is the sum of the terms modulo
/// 2^64, so the order in which threads add them cannot change it.
BRINK_HOST_DEVICE inline std::uint64_t hash_term(std::uint64_t position, std::uint16_t bits) {
  return mix64((position << 16) | bits);
}

}  // namespace brink::kernels
