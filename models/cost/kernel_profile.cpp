#include "models/cost/kernel_profile.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "models/base/error.h"
#include "models/base/object_reader.h"

namespace brink::cost {

struct KernelProfile::Parts {
  GpuFacts gpu;
  std::vector<GemmCost> gemm;       // one a GemmType, in its order
  std::vector<bool> gemm_measured;
  std::vector<DecodeCost> decode;
  std::vector<PrefillCost> prefill;
  ElementwiseCost elementwise;
  std::vector<CollectiveCost> collectives;
  std::optional<PointToPoint> point_to_point;
  std::optional<GemmTactics> tactics;
  std::optional<MemoryCurves> memory;
  std::optional<LaunchCosts> launch;
  std::optional<Contention> contention;
  std::optional<MeasuredDrift> drift;
  Json host, in_situ, source, residuals;
};

namespace {

constexpr std::int64_t kSchemaVersion = 1;

struct Choice {
  std::size_t index;
  Badge worst;
};

/// The cost fitted for this head dimension and KV type; else the next larger dimension (kernels pad up to
/// it), else the largest; the other KV type only when this one was never measured.
template <class Cost>
Choice choose(const std::vector<Cost>& costs, std::int64_t dimension, KvType kv) {
  std::optional<std::size_t> best;
  for (const bool same_kv : {true, false}) {
    for (std::size_t i = 0; i < costs.size(); ++i) {
      if ((costs[i].kv() == kv) != same_kv) continue;
      const std::int64_t d = costs[i].head_dimension();
      if (!best) { best = i; continue; }
      const std::int64_t held = costs[*best].head_dimension();
      const bool better = d >= dimension ? (held < dimension || d < held) : (held < dimension && d > held);
      if (better) best = i;
    }
    if (best) return {*best, !same_kv ? Badge::hypothetical : costs[*best].head_dimension() == dimension ? Badge::measured : Badge::extrapolated};
  }
  throw Error("kernel profile: no attention cost");
}

void read_gemm(ObjectReader reader, const GpuFacts& gpu, std::vector<GemmCost>& costs, std::vector<bool>& measured) {
  costs.push_back(GemmCost::from_json(reader.object("bf16"), GemmType::bf16, gpu));
  measured.push_back(true);
  for (const auto& [key, type] : {std::pair{"fp8", GemmType::fp8}, std::pair{"fp8_block", GemmType::fp8_block}}) {
    const bool present = reader.has(key);
    // Unmeasured: the efficiency of the nearest relative, the other FP8 kernel or else bf16 at the FP8 rate.
    costs.push_back(present ? GemmCost::from_json(reader.object(key), type, gpu) : costs.back().as_type(type));
    measured.push_back(present);
  }
  reader.finish();
}

template <class Section>
void read_section(ObjectReader& reader, const char* key, std::optional<Section>& section) {
  if (reader.has(key)) section = Section::from_json(reader.object(key));
}

template <class Section>
const Section* pointer_to(const std::optional<Section>& section) {
  return section ? &*section : nullptr;
}

}  // namespace

KernelProfile::KernelProfile(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
KernelProfile::~KernelProfile() = default;
KernelProfile::KernelProfile(KernelProfile&&) noexcept = default;
KernelProfile& KernelProfile::operator=(KernelProfile&&) noexcept = default;

KernelProfile KernelProfile::load(const std::string& path) {
  try {
    return from_json(load_json(path));
  } catch (const ConfigError& error) {
    throw error.in_file(path);
  }
}

KernelProfile KernelProfile::from_json(const Json& document) {
  ObjectReader reader(document, "");
  const std::int64_t version = reader.integer("schema_version");
  if (version != kSchemaVersion) throw reader.error("schema_version", std::to_string(version), "1 (fit the profile again with this version)");
  auto parts = std::make_unique<Parts>();
  parts->gpu = GpuFacts::from_json(reader.object("gpu"));
  read_gemm(reader.object("gemm"), parts->gpu, parts->gemm, parts->gemm_measured);
  reader.each("decode_attention", [&](const Json& item, const std::string& pointer) {
    parts->decode.push_back(DecodeCost::from_json(ObjectReader(item, pointer), parts->gpu));
  });
  reader.each("prefill_attention", [&](const Json& item, const std::string& pointer) {
    parts->prefill.push_back(PrefillCost::from_json(ObjectReader(item, pointer), parts->gpu));
  });
  if (parts->decode.empty()) throw reader.error("decode_attention", "no entry", "at least one head dimension");
  if (parts->prefill.empty()) throw reader.error("prefill_attention", "no entry", "at least one head dimension");
  parts->elementwise = ElementwiseCost::from_json(reader.object("elementwise"));
  reader.each("collectives", [&](const Json& item, const std::string& pointer) {
    parts->collectives.push_back(CollectiveCost::from_json(ObjectReader(item, pointer)));
  });
  read_section(reader, "point_to_point", parts->point_to_point);
  read_section(reader, "tactics", parts->tactics);
  read_section(reader, "memory", parts->memory);
  read_section(reader, "launch", parts->launch);
  read_section(reader, "contention", parts->contention);
  read_section(reader, "drift", parts->drift);
  if (reader.has("host")) parts->host = reader.value("host");
  if (reader.has("in_situ")) parts->in_situ = reader.value("in_situ");
  if (reader.has("source")) parts->source = reader.value("source");
  if (reader.has("residuals")) parts->residuals = reader.value("residuals");
  reader.finish();
  return KernelProfile(std::move(parts));
}

const GpuFacts& KernelProfile::gpu() const { return parts_->gpu; }
const PointToPoint* KernelProfile::point_to_point() const { return pointer_to(parts_->point_to_point); }
const GemmTactics* KernelProfile::tactics() const { return pointer_to(parts_->tactics); }
const MemoryCurves* KernelProfile::memory() const { return pointer_to(parts_->memory); }
const LaunchCosts* KernelProfile::launch() const { return pointer_to(parts_->launch); }
const Contention* KernelProfile::contention() const { return pointer_to(parts_->contention); }
const MeasuredDrift* KernelProfile::drift() const { return pointer_to(parts_->drift); }
const Json& KernelProfile::host() const { return parts_->host; }
const Json& KernelProfile::in_situ() const { return parts_->in_situ; }
const Json& KernelProfile::source() const { return parts_->source; }
const Json& KernelProfile::residuals() const { return parts_->residuals; }

Estimate KernelProfile::gemm(std::int64_t m, std::int64_t n, std::int64_t k, GemmType type) const {
  const auto index = static_cast<std::size_t>(type);
  Estimate estimate = parts_->gemm.at(index).estimate(m, n, k);
  if (!parts_->gemm_measured[index]) estimate.badge = Badge::hypothetical;
  return estimate;
}

Estimate KernelProfile::decode_attention(const DecodeWork& work, const AttentionHeads& heads, KvType kv, KvResidency residency) const {
  const Choice choice = choose(parts_->decode, heads.dimension, kv);
  Estimate estimate = parts_->decode[choice.index].estimate(work, heads, residency);
  estimate.badge = worse(estimate.badge, choice.worst);
  return estimate;
}

Estimate KernelProfile::prefill_attention(const PrefillWork& work, const AttentionHeads& heads, KvType kv) const {
  const Choice choice = choose(parts_->prefill, heads.dimension, kv);
  Estimate estimate = parts_->prefill[choice.index].estimate(work, heads);
  estimate.badge = worse(estimate.badge, choice.worst);
  return estimate;
}

Estimate KernelProfile::elementwise(Bytes traffic, std::int64_t kernels) const { return parts_->elementwise.estimate(traffic, kernels); }

bool KernelProfile::has_collective(CollectiveBackend backend, CollectiveOp op) const {
  return std::any_of(parts_->collectives.begin(), parts_->collectives.end(),
                     [&](const CollectiveCost& cost) { return cost.backend() == backend && cost.op() == op; });
}

Estimate KernelProfile::collective(CollectiveBackend backend, CollectiveOp op, std::int64_t gpus, Bytes message) const {
  for (const CollectiveCost& cost : parts_->collectives)
    if (cost.backend() == backend && cost.op() == op) return cost.estimate(gpus, message);
  throw Error("kernel profile of " + parts_->gpu.name + ": no " + name(op) + " curve for backend " + name(backend));
}

}  // namespace brink::cost
