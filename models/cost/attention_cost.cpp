#include "models/cost/attention_cost.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "models/cost/roofline.h"
#include "models/cost/significant.h"

namespace brink::cost {
namespace {

constexpr double kKvBlock = 128.0;    // tokens of one KV block of the kernel (FlashAttention 3, paged)
constexpr double kSplitsMax = 32.0;   // KV splits a graph-captured launch may use (vLLM)
constexpr double kBytesOfQuery = 2.0;

double power_sum(double a, double b, double p) { return std::pow(std::pow(a, p) + std::pow(b, p), 1.0 / p); }

void check(const AttentionHeads& heads) {
  if (heads.query < 1 || heads.kv < 1 || heads.dimension < 1)
    throw std::invalid_argument("attention: head counts and dimension are at least 1");
}

double kv_bytes(double tokens, const AttentionHeads& heads, KvType kv) {
  return 2.0 * bytes_per_element(kv) * tokens * static_cast<double>(heads.kv) * static_cast<double>(heads.dimension);
}

bool knows(const std::vector<HeadCounts>& measured, const AttentionHeads& heads) {
  return std::find(measured.begin(), measured.end(), HeadCounts{heads.query, heads.kv}) != measured.end();
}

std::vector<HeadCounts> read_heads(ObjectReader& reader) {
  std::vector<HeadCounts> heads;
  reader.each("heads", [&](const Json& item, const std::string& pointer) {
    if (item.kind() != Json::Kind::array || item.items().size() != 2)
      throw ConfigError(pointer, item.describe(), "an array [query heads, KV heads]");
    heads.emplace_back(checked_integer(item.items()[0], join_pointer(pointer, std::size_t{0}), Range::at_least(1)),
                       checked_integer(item.items()[1], join_pointer(pointer, std::size_t{1}), Range::at_least(1)));
  });
  return heads;
}

Json heads_json(const std::vector<HeadCounts>& heads) {
  Json json = Json::array();
  for (const auto& [query, kv] : heads) json.push_back(Json::array_of(std::vector<std::int64_t>{query, kv}));
  return json;
}

KvType read_kv(ObjectReader& reader) { return reader.choice("kv_cache", {"bf16", "fp8"}) == "fp8" ? KvType::fp8 : KvType::bf16; }
const char* kv_name(KvType kv) { return kv == KvType::fp8 ? "fp8" : "bf16"; }

EfficiencySurface read_surface(ObjectReader& reader, const char* key) {
  EfficiencySurface surface = EfficiencySurface::from_json(reader.object(key));
  if (surface.axes().size() != 3 || surface.outputs() != 1)
    throw reader.error(key, "a surface of another shape", "three axes and one output");
  return surface;
}

}  // namespace

PrefillWork PrefillWork::chunk(std::int64_t new_tokens, std::int64_t cached) {
  if (new_tokens < 1 || cached < 0) throw std::invalid_argument("prefill: a chunk has at least one new token and no negative prefix");
  const double s = static_cast<double>(new_tokens), p = static_cast<double>(cached);
  return {1, Tokens(s), s * p + s * (s + 1.0) / 2.0, Tokens(s + p), Tokens(s + p)};
}

PrefillWork& PrefillWork::operator+=(const PrefillWork& other) {
  sequences += other.sequences;
  new_tokens += other.new_tokens;
  attended += other.attended;
  kv_tokens += other.kv_tokens;
  longest_kv = std::max(longest_kv, other.longest_kv);
  return *this;
}

PrefillWork operator*(PrefillWork a, std::int64_t times) {
  const double n = static_cast<double>(times);
  return {a.sequences * times, a.new_tokens * n, a.attended * n, a.kv_tokens * n, a.longest_kv};
}

Seconds DecodeLaw::time(double batch, double context, const AttentionHeads& heads, KvType kv, KvResidency residency,
                        const GpuFacts& gpu) const {
  const double slots = static_cast<double>(gpu.sm_count);
  const double tiles = batch * static_cast<double>(heads.kv);
  const double blocks = std::max(context / kKvBlock, 1.0);
  // Splitting fills the SMs only as far as there are KV blocks to share out.
  const double busy = std::min(slots, tiles * std::min(blocks, kSplitsMax));
  const double bytes = kv_bytes(batch * context, heads, kv);
  const double memory = bytes / (residency == KvResidency::cold ? hbm_rate : l2_rate).value();
  const double stream = power_sum(memory, bytes / (busy * sm_rate.value()), 4.0);
  const double fixed = per_tile.value() * std::max(tiles - slots, 0.0) + per_sequence.value() * batch;
  const double split_share = std::clamp(blocks - 1.0, 0.0, 1.0) * std::clamp(2.0 - tiles / slots, 0.0, 1.0);
  return launch + combine * split_share + Seconds(power_sum(fixed, stream, overlap_power));
}

std::array<double, DecodeLaw::parameter_count> DecodeLaw::parameters() const {
  return {launch.value(), per_tile.value(), per_sequence.value(), hbm_rate.value(),
          sm_rate.value(), l2_rate.value(), overlap_power, combine.value()};
}

void DecodeLaw::set_parameters(const std::array<double, parameter_count>& v) {
  launch = Seconds(v[0]);
  per_tile = Seconds(v[1]);
  per_sequence = Seconds(v[2]);
  hbm_rate = BytesPerSecond(v[3]);
  sm_rate = BytesPerSecond(v[4]);
  l2_rate = BytesPerSecond(v[5]);
  overlap_power = v[6];
  combine = Seconds(v[7]);
}

Seconds PrefillLaw::time(const PrefillWork& work, const AttentionHeads& heads, KvType kv, const GpuFacts& gpu) const {
  const double d = static_cast<double>(heads.dimension), query = static_cast<double>(heads.query);
  // Blocks on the diagonal are computed in full: half a block more a row than causality needs.
  const double flops = 4.0 * d * query * (work.attended + 0.5 * kKvBlock * work.new_tokens.value());
  const double bytes = 2.0 * kBytesOfQuery * work.new_tokens.value() * query * d + kv_bytes(work.kv_tokens.value(), heads, kv);
  const double pairs = static_cast<double>(work.sequences * heads.kv);
  // Idle SMs share out a long sequence's KV blocks (FlashAttention 3's splits), which shortens the longest path.
  const double blocks = std::max(work.longest_kv.value() / kKvBlock, 1.0);
  const double row_tiles = std::max(work.new_tokens.value() * query / kKvBlock, pairs);
  const double splits = std::clamp(static_cast<double>(gpu.sm_count) / row_tiles, 1.0, std::min(blocks, kSplitsMax));
  const double path = per_block.value() * blocks / splits;
  const double tiles = per_tile.value() * pairs;
  const double p = overlap_power;
  const double sum = std::pow(flops / mma_rate.value(), p) + std::pow(bytes / hbm_rate.value(), p) + std::pow(path, p) + std::pow(tiles, p);
  return launch + Seconds(std::pow(sum, 1.0 / p));
}

std::array<double, PrefillLaw::parameter_count> PrefillLaw::parameters() const {
  return {launch.value(), mma_rate.value(), hbm_rate.value(), per_tile.value(), overlap_power, per_block.value()};
}

void PrefillLaw::set_parameters(const std::array<double, parameter_count>& v) {
  launch = Seconds(v[0]);
  mma_rate = FlopsPerSecond(v[1]);
  hbm_rate = BytesPerSecond(v[2]);
  per_tile = Seconds(v[3]);
  overlap_power = v[4];
  per_block = Seconds(v[5]);
}

DecodeCost::DecodeCost(std::int64_t head_dimension, KvType kv, DecodeLaw law, EfficiencySurface cold, EfficiencySurface warm,
                       std::vector<HeadCounts> heads, GpuFacts gpu)
    : head_dimension_(head_dimension), kv_(kv), law_(law), cold_(std::move(cold)), warm_(std::move(warm)),
      heads_(std::move(heads)), gpu_(std::move(gpu)) {}

Estimate DecodeCost::estimate(const DecodeWork& work, const AttentionHeads& heads, KvResidency residency) const {
  check(heads);
  const double batch = static_cast<double>(work.batch);
  if (work.batch < 1 || work.context_sum.value() < batch)
    throw std::invalid_argument("decode attention: needs a sequence, and a token of context for each");
  const double context = work.context_sum.value() / batch;
  const Bytes bytes(kv_bytes(work.context_sum.value(), heads, kv_));
  // A KV larger than L2 streams from HBM however often the kernel repeats.
  const bool large = bytes > cold_limit();
  const bool cold = large || residency == KvResidency::cold;
  const SurfaceGrid& grid = cold ? cold_ : warm_;
  const std::vector<double> at{batch * static_cast<double>(heads.kv), context, static_cast<double>(heads.kv)};
  const Seconds predicted =
      law_.time(batch, context, heads, kv_, cold ? KvResidency::cold : KvResidency::warm, gpu_) * std::exp(grid.value(at));
  Seconds bound = bytes / (cold ? gpu_.hbm_peak : gpu_.l2_bandwidth);
  // KV in HBM is never faster than the same KV in L2.
  if (cold && !large) bound = std::max(bound, estimate(work, heads, KvResidency::warm).time);
  Badge badge = Badge::extrapolated;
  if (grid.surface().inside(at) && heads.dimension == head_dimension_) {
    // Integral coordinates only: the scan over the points is not for every step of a simulation.
    const bool whole = context == std::floor(context) && knows(heads_, heads) && (large || !cold);
    badge = whole && grid.surface().has_point(at) ? Badge::measured : Badge::interpolated;
  }
  return {std::max(predicted, bound), badge};
}

DecodeCost DecodeCost::from_json(ObjectReader reader, const GpuFacts& gpu) {
  const std::int64_t dimension = reader.integer("head_dimension", Range::between(1, 4096));
  const KvType kv = read_kv(reader);
  ObjectReader fields = reader.object("law");
  const auto us = [&](const char* key) { return fields.number(key, Range::at_least(0.0, "us")) * 1e-6; };
  const auto rate = [&](const char* key) { return fields.number(key, Range::positive("B/s")); };
  DecodeLaw law;
  law.set_parameters({us("launch_us"), us("per_tile_us"), us("per_sequence_us"), rate("hbm_bytes_per_s"), rate("sm_bytes_per_s"),
                      rate("l2_bytes_per_s"), fields.number("overlap_power", Range::at_least(0.5)), us("combine_us")});
  fields.finish();
  std::vector<HeadCounts> heads = read_heads(reader);
  EfficiencySurface cold = read_surface(reader, "cold");
  EfficiencySurface warm = read_surface(reader, "warm");
  reader.finish();
  return DecodeCost(dimension, kv, law, std::move(cold), std::move(warm), std::move(heads), gpu);
}

Json DecodeCost::to_json() const {
  Json json = Json::object();
  json.set("head_dimension", head_dimension_);
  json.set("kv_cache", kv_name(kv_));
  Json& law = json.set("law", Json::object());
  law.set("launch_us", round_significant(to_us(law_.launch)));
  law.set("per_tile_us", round_significant(to_us(law_.per_tile)));
  law.set("per_sequence_us", round_significant(to_us(law_.per_sequence)));
  law.set("hbm_bytes_per_s", law_.hbm_rate.value());
  law.set("sm_bytes_per_s", law_.sm_rate.value());
  law.set("l2_bytes_per_s", law_.l2_rate.value());
  law.set("overlap_power", law_.overlap_power);
  law.set("combine_us", round_significant(to_us(law_.combine)));
  json.set("heads", heads_json(heads_));
  json.set("cold", cold_.surface().to_json());
  json.set("warm", warm_.surface().to_json());
  return json;
}

PrefillCost::PrefillCost(std::int64_t head_dimension, KvType kv, PrefillLaw law, EfficiencySurface surface,
                         std::vector<HeadCounts> heads, GpuFacts gpu)
    : head_dimension_(head_dimension), kv_(kv), law_(law), surface_(std::move(surface)), heads_(std::move(heads)),
      gpu_(std::move(gpu)) {}

Estimate PrefillCost::estimate(const PrefillWork& work, const AttentionHeads& heads) const {
  check(heads);
  const double rows = work.new_tokens.value();
  if (work.sequences < 1 || rows < 1.0 || work.attended < rows) throw std::invalid_argument("prefill attention: needs a chunk with new tokens");
  // The square causal batch with the same rows and the same attended area stands for any mix of chunks and prefixes.
  const double length = std::max(2.0 * work.attended / rows - 1.0, 1.0);
  const double equal_sequences = rows / length;
  const std::vector<double> at{length, equal_sequences * static_cast<double>(heads.query),
                               static_cast<double>(heads.query) / static_cast<double>(heads.kv)};
  const Seconds predicted = law_.time(work, heads, kv_, gpu_) * std::exp(surface_.value(at));
  const Seconds bound = Flops(4.0 * static_cast<double>(heads.query * heads.dimension) * work.attended) / gpu_.peak_bf16;
  const bool prefix = work.kv_tokens > work.new_tokens;
  Badge badge = Badge::extrapolated;
  if (!prefix && surface_.surface().inside(at) && heads.dimension == head_dimension_) {
    const bool equal = work.longest_kv.value() == length && equal_sequences == static_cast<double>(work.sequences);
    badge = equal && knows(heads_, heads) && surface_.surface().has_point(at) ? Badge::measured : Badge::interpolated;
  }
  return {std::max(predicted, bound), badge};
}

PrefillCost PrefillCost::from_json(ObjectReader reader, const GpuFacts& gpu) {
  const std::int64_t dimension = reader.integer("head_dimension", Range::between(1, 4096));
  const KvType kv = read_kv(reader);
  ObjectReader fields = reader.object("law");
  const auto us = [&](const char* key) { return fields.number(key, Range::at_least(0.0, "us")) * 1e-6; };
  PrefillLaw law;
  law.set_parameters({us("launch_us"), fields.number("mma_flops", Range::positive("FLOP/s")),
                      fields.number("hbm_bytes_per_s", Range::positive("B/s")), us("per_tile_us"),
                      fields.number("overlap_power", Range::at_least(0.5)), us("per_block_us")});
  fields.finish();
  std::vector<HeadCounts> heads = read_heads(reader);
  EfficiencySurface surface = read_surface(reader, "surface");
  reader.finish();
  return PrefillCost(dimension, kv, law, std::move(surface), std::move(heads), gpu);
}

Json PrefillCost::to_json() const {
  Json json = Json::object();
  json.set("head_dimension", head_dimension_);
  json.set("kv_cache", kv_name(kv_));
  Json& law = json.set("law", Json::object());
  law.set("launch_us", round_significant(to_us(law_.launch)));
  law.set("mma_flops", law_.mma_rate.value());
  law.set("hbm_bytes_per_s", law_.hbm_rate.value());
  law.set("per_tile_us", round_significant(to_us(law_.per_tile)));
  law.set("overlap_power", law_.overlap_power);
  law.set("per_block_us", round_significant(to_us(law_.per_block)));
  json.set("heads", heads_json(heads_));
  json.set("surface", surface_.surface().to_json());
  return json;
}

}  // namespace brink::cost
