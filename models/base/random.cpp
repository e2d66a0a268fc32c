#include "models/base/random.h"

#include <Random123/philox.h>

#include <cassert>
#include <cmath>

#include "models/base/normal_quantile.h"

namespace brink {

namespace {

using Block = std::array<std::uint32_t, 4>;

Block philox(const Block& counter, std::array<std::uint32_t, 2> key) {
  const r123::Philox4x32::ctr_type in = {{counter[0], counter[1], counter[2], counter[3]}};
  const auto out = r123::Philox4x32{}(in, {{key[0], key[1]}});
  return {out[0], out[1], out[2], out[3]};
}

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32U); }

// FNV-1a, 64 bits (Fowler, Noll, Vo): tells the few dozen stream names apart.
constexpr std::uint64_t hash_name(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

Block draw_block(std::array<std::uint32_t, 2> key, const StreamKey& at, std::uint32_t draw) {
  // One block is enough when a fits 48, b 32 and c 16 bits: then the 128 counter bits hold
  // (draw, a, b, c) whole and no two draws of a stream can meet.
  const bool fits = (at.a >> 48U) == 0 && (at.b >> 32U) == 0 && (at.c >> 16U) == 0;
  if (fits) return philox({draw, low(at.a), low(at.b), high(at.a) << 16U | low(at.c)}, key);
  // Otherwise two chained blocks under a key of their own; two draws meet with odds of 2^-128.
  constexpr std::uint32_t wide = 0x9E3779B9U;
  const std::array<std::uint32_t, 2> wide_key = {key[0] ^ wide, key[1]};
  Block block = philox({low(at.a), high(at.a), low(at.b), high(at.b)}, wide_key);
  block[0] ^= draw;
  block[1] ^= low(at.c);
  block[2] ^= high(at.c);
  return philox(block, wide_key);
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, std::string_view name) : philox_key_{} {
  const std::uint64_t hash = hash_name(name);
  const Block block = philox({low(seed), high(seed), low(hash), high(hash)}, {0, 0});
  philox_key_ = {block[0], block[1]};
}

std::uint64_t RandomStream::bits(StreamKey key, std::uint32_t draw) const {
  const Block block = draw_block(philox_key_, key, draw);
  return std::uint64_t{block[1]} << 32U | block[0];
}

double RandomStream::uniform(StreamKey key, std::uint32_t draw) const {
  // 52 bits and a half: the largest value is 1 - 2^-53; with 53 bits it would round to 1.
  return (static_cast<double>(bits(key, draw) >> 12U) + 0.5) * 0x1p-52;
}

double RandomStream::exponential(StreamKey key, std::uint32_t draw) const { return -std::log1p(-uniform(key, draw)); }

double RandomStream::normal(StreamKey key, std::uint32_t draw) const { return normal_quantile(uniform(key, draw)); }

double RandomStream::gamma_mean_one(double shape, StreamKey key, std::uint32_t draw) const {
  assert(shape > 0.0 && std::isfinite(shape));
  // Marsaglia & Tsang 2000, "A simple method for generating gamma variables"; their boost
  // U^(1/shape) for shape < 1.
  const double boost = shape < 1.0 ? std::pow(uniform(key, draw++), 1.0 / shape) : 1.0;
  const double d = (shape < 1.0 ? shape + 1.0 : shape) - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;; draw += 2) {  // accepts at least 95 % of its proposals
    const double x = normal(key, draw);
    const double cube_root = 1.0 + c * x;
    if (cube_root <= 0.0) continue;
    const double v = cube_root * cube_root * cube_root;
    if (std::log(uniform(key, draw + 1)) < 0.5 * x * x + d - d * v + d * std::log(v)) return boost * d * v / shape;
  }
}

std::uint64_t RandomStream::below(std::uint64_t n, StreamKey key, std::uint32_t draw) const {
  assert(n > 0);
  // High half of bits * n; a value's odds differ from 1/n by less than 2^-64.
  const std::uint64_t x = bits(key, draw);
  const std::uint64_t mid = std::uint64_t{high(x)} * low(n) + (std::uint64_t{low(x)} * low(n) >> 32U);
  const std::uint64_t mid2 = std::uint64_t{low(x)} * high(n) + low(mid);
  return std::uint64_t{high(x)} * high(n) + high(mid) + high(mid2);
}

}  // namespace brink
