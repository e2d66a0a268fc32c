#include "models/gpu/memory_hierarchy.h"

#include <algorithm>
#include <cmath>

namespace brink::gpu {
namespace {

constexpr double kReachSharpness = 4.0;  // a cliff spreads over about an octave: pages map unevenly
constexpr double kFarDistances = 8.0;    // capacities beyond which no hit is worth a power function

double share_below(double x, double half, double sharpness) { return 1.0 / (1.0 + std::pow(x / half, sharpness)); }

// Reads of a shared prefix after its first, as a share of all KV reads.
double repeated_share(const AttentionTraffic& traffic) {
  if (traffic.sharers < 2 || traffic.kv <= Bytes(0.0)) return 0.0;
  return std::min(traffic.shared_kv / traffic.kv * static_cast<double>(traffic.sharers - 1), 1.0);
}

}  // namespace

double CacheModel::hit_share(Bytes distance) const {
  if (distance >= capacity * kFarDistances) return 0.0;
  return share_below(distance.value(), capacity.value(), sharpness);
}

double TranslationModel::factor(Bytes touched) const {
  return reach ? 1.0 + slowdown * (1.0 - share_below(touched.value(), reach->value(), kReachSharpness)) : 1.0;
}

double kv_cache_share(const AttentionTraffic& traffic, const CacheModel& cache) {
  if (traffic.sequences < 1 || traffic.kv <= Bytes(0.0)) return 0.0;
  const double repeated = repeated_share(traffic);
  // The kernel takes sequence after sequence, and those that share a prefix lie spread over the batch: between two
  // uses of it passes the KV of the sequences in between.
  const Bytes between = traffic.kv / static_cast<double>(std::max<std::int64_t>(traffic.sharers, 1) * traffic.layers);
  const double in_kernel = repeated > 0.0 ? repeated * cache.hit_share(between) : 0.0;
  const Bytes step = traffic.weights + traffic.kv * (1.0 - repeated);
  return in_kernel + (1.0 - repeated) * cache.hit_share(step);
}

double block_scatter_factor(Bytes block, double scatter, const GatherModel& gather) {
  const double waste = gather.half_block / block;
  return (1.0 + waste * std::clamp(scatter, 0.0, 1.0)) / (1.0 + waste);
}

double attention_memory_factor(const AttentionTraffic& traffic, const MemoryHierarchy& hierarchy, Seconds measured) {
  const CacheModel& cache = hierarchy.cache;
  if (traffic.kv <= Bytes(0.0) || measured <= Seconds(0.0)) return 1.0;
  const Seconds from_memory = traffic.kv / static_cast<double>(traffic.layers) / cache.memory_rate;
  const double streaming = std::min(from_memory / measured, 1.0);
  const double share = kv_cache_share(traffic, cache);
  const double saved = share * std::max(1.0 - cache.memory_rate / cache.cache_rate, 0.0);
  const double scatter = traffic.block > Bytes(0.0) ? block_scatter_factor(traffic.block, traffic.scatter, hierarchy.gather) : 1.0;
  const double added = (1.0 - share) * (scatter * hierarchy.translation.factor(traffic.span) - 1.0);
  return 1.0 + streaming * (added - saved);
}

}  // namespace brink::gpu
