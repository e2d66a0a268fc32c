#include "models/cost/memory_curves.h"

#include <cmath>

#include "models/cost/significant.h"

namespace brink::cost {
namespace {

constexpr double kReachSharpness = 4.0;  // a cliff spreads over about an octave: pages map unevenly

/// 1 / (1 + (x / half)^sharpness), which is 1 far below `half` and 0 far above.
double share_below(double x, double half, double sharpness) { return 1.0 / (1.0 + std::pow(x / half, sharpness)); }

Json rounded(double value) { return Json(round_significant(value)); }

template <class Curve>
std::vector<Curve> read_list(ObjectReader& reader, const char* key) {
  std::vector<Curve> curves;
  reader.each(key, [&](const Json& item, const std::string& pointer) { curves.push_back(Curve::from_json(ObjectReader(item, pointer))); });
  return curves;
}

template <class Curve>
void write_list(Json& json, const char* key, const std::vector<Curve>& curves) {
  if (curves.empty()) return;
  Json& list = json.set(key, Json::array());
  for (const Curve& curve : curves) list.push_back(curve.to_json());
}

template <class Curve>
const Curve* by_name(const std::vector<Curve>& curves, const std::string& name) {
  for (const Curve& curve : curves)
    if (curve.name == name) return &curve;
  return nullptr;
}

}  // namespace

MeasuredRange MeasuredRange::from_json(const Json& json, const std::string& pointer) {
  if (!json.is_array() || json.items().size() != 2) throw ConfigError(pointer, json.describe(), "two numbers: the lowest and the highest");
  const double low = checked_number(json.items()[0], join_pointer(pointer, std::size_t{0}), Range::at_least(0.0));
  const double high = checked_number(json.items()[1], join_pointer(pointer, std::size_t{1}), Range::at_least(low));
  return {low, high};
}

Json MeasuredRange::to_json() const { return Json::array_of(std::vector<double>{low, high}); }

Seconds TransferCurve::time(Bytes moved) const {
  return Seconds(std::pow(std::pow(latency.value(), overlap_power) + std::pow((moved / rate).value(), overlap_power), 1.0 / overlap_power));
}

TransferCurve TransferCurve::from_json(ObjectReader reader) {
  TransferCurve curve;
  curve.name = reader.string("name");
  curve.latency = Seconds(reader.number("latency_s", Range::between(0.0, 1.0, "s")));
  curve.rate = BytesPerSecond(reader.number("bytes_per_s", Range::positive("B/s")));
  curve.overlap_power = reader.number("overlap_power", Range::between(0.5, 20.0));
  curve.bytes = MeasuredRange::from_json(reader.value("measured_bytes"), reader.pointer_to("measured_bytes"));
  reader.finish();
  return curve;
}

Json TransferCurve::to_json() const {
  Json json = Json::object();
  json.set("name", name);
  json.set("latency_s", rounded(latency.value()));
  json.set("bytes_per_s", rounded(rate.value()));
  json.set("overlap_power", rounded(overlap_power));
  json.set("measured_bytes", bytes.to_json());
  return json;
}

BytesPerSecond GatherCurve::rate_of(Bytes block) const { return rate / (1.0 + half_block / block); }

GatherCurve GatherCurve::from_json(ObjectReader reader) {
  GatherCurve curve;
  curve.name = reader.string("name");
  curve.rate = BytesPerSecond(reader.number("bytes_per_s", Range::positive("B/s")));
  curve.half_block = Bytes(reader.number("half_block_bytes", Range::at_least(0.0, "B")));
  curve.block_bytes = MeasuredRange::from_json(reader.value("measured_block_bytes"), reader.pointer_to("measured_block_bytes"));
  reader.finish();
  return curve;
}

Json GatherCurve::to_json() const {
  Json json = Json::object();
  json.set("name", name);
  json.set("bytes_per_s", rounded(rate.value()));
  json.set("half_block_bytes", rounded(half_block.value()));
  json.set("measured_block_bytes", block_bytes.to_json());
  return json;
}

double CacheKnee::hit_share(Bytes set) const { return share_below(set.value(), capacity.value(), sharpness); }

BytesPerSecond CacheKnee::rate_of(Bytes set) const {
  const double hit = hit_share(set);
  return BytesPerSecond(1.0 / (hit / cache_rate.value() + (1.0 - hit) / memory_rate.value()));
}

Seconds CacheKnee::latency_of(Bytes set) const {
  const double hit = hit_share(set), near_hit = share_below(set.value(), near_capacity.value(), sharpness);
  return memory + (far - memory) * hit + (near - far) * (hit * near_hit);
}

CacheKnee CacheKnee::from_json(ObjectReader reader) {
  CacheKnee knee;
  knee.capacity = Bytes(reader.number("capacity_bytes", Range::positive("B")));
  knee.sharpness = reader.number("sharpness", Range::between(0.5, 100.0));
  knee.cache_rate = BytesPerSecond(reader.number("bytes_per_s", Range::positive("B/s")));
  knee.memory_rate = BytesPerSecond(reader.number("memory_bytes_per_s", Range::positive("B/s")));
  knee.near = Seconds(reader.number("near_s", Range::at_least(0.0, "s")));
  knee.far = Seconds(reader.number("far_s", Range::at_least(knee.near.value(), "s")));
  knee.memory = Seconds(reader.number("memory_s", Range::at_least(knee.far.value(), "s")));
  knee.near_capacity = Bytes(reader.number("near_capacity_bytes", Range::positive("B")));
  knee.working_set = MeasuredRange::from_json(reader.value("measured_bytes"), reader.pointer_to("measured_bytes"));
  reader.finish();
  return knee;
}

Json CacheKnee::to_json() const {
  Json json = Json::object();
  json.set("capacity_bytes", rounded(capacity.value()));
  json.set("sharpness", rounded(sharpness));
  json.set("bytes_per_s", rounded(cache_rate.value()));
  json.set("memory_bytes_per_s", rounded(memory_rate.value()));
  json.set("near_s", rounded(near.value()));
  json.set("far_s", rounded(far.value()));
  json.set("memory_s", rounded(memory.value()));
  json.set("near_capacity_bytes", rounded(near_capacity.value()));
  json.set("measured_bytes", working_set.to_json());
  return json;
}

Seconds TranslationReach::penalty_at(Bytes touched) const {
  return reach ? penalty * (1.0 - share_below(touched.value(), reach->value(), kReachSharpness)) : Seconds(0.0);
}

TranslationReach TranslationReach::from_json(ObjectReader reader) {
  TranslationReach tlb;
  if (reader.has("reach_bytes")) tlb.reach = Bytes(reader.number("reach_bytes", Range::positive("B")));
  tlb.penalty = Seconds(reader.number_or("penalty_s", 0.0, Range::between(0.0, 1e-3, "s")));
  tlb.base = Seconds(reader.number("base_s", Range::positive("s")));
  tlb.measured = MeasuredRange::from_json(reader.value("measured_bytes"), reader.pointer_to("measured_bytes"));
  reader.each("lanes", [&](const Json& item, const std::string& pointer) {
    ObjectReader fields(item, pointer);
    tlb.lanes.push_back({fields.integer("lanes", Range::between(1, 32)), fields.number("factor", Range::between(0.5, 100.0))});
    fields.finish();
  });
  reader.finish();
  return tlb;
}

Json TranslationReach::to_json() const {
  Json json = Json::object();
  json.set("reach_bytes", reach ? rounded(reach->value()) : Json());
  if (reach) json.set("penalty_s", rounded(penalty.value()));
  json.set("base_s", rounded(base.value()));
  json.set("measured_bytes", measured.to_json());
  Json& list = json.set("lanes", Json::array());
  for (const Lanes& entry : lanes) {
    Json& item = list.push_back(Json::object());
    item.set("lanes", entry.lanes);
    item.set("factor", rounded(entry.factor));
  }
  return json;
}

const TransferCurve* MemoryCurves::stream(const std::string& name) const { return by_name(hbm, name); }
const TransferCurve* MemoryCurves::link(const std::string& name) const { return by_name(host_link, name); }
const GatherCurve* MemoryCurves::gather_of(const std::string& name) const { return by_name(gather, name); }

MemoryCurves MemoryCurves::from_json(ObjectReader reader) {
  MemoryCurves curves;
  curves.hbm = read_list<TransferCurve>(reader, "hbm");
  curves.gather = read_list<GatherCurve>(reader, "gather");
  reader.each("strided", [&](const Json& item, const std::string& pointer) {
    ObjectReader fields(item, pointer);
    curves.strided.push_back({fields.integer("stride_bytes", Range::at_least(1)), BytesPerSecond(fields.number("bytes_per_s", Range::positive("B/s")))});
    fields.finish();
  });
  if (reader.has("l2")) curves.l2 = CacheKnee::from_json(reader.object("l2"));
  if (reader.has("tlb")) curves.tlb = TranslationReach::from_json(reader.object("tlb"));
  if (reader.has("random_reads")) curves.random_reads = TranslationReach::from_json(reader.object("random_reads"));
  curves.host_link = read_list<TransferCurve>(reader, "host_link");
  reader.finish();
  return curves;
}

Json MemoryCurves::to_json() const {
  Json json = Json::object();
  write_list(json, "hbm", hbm);
  write_list(json, "gather", gather);
  if (!strided.empty()) {
    Json& list = json.set("strided", Json::array());
    for (const StridedRate& entry : strided) {
      Json& item = list.push_back(Json::object());
      item.set("stride_bytes", entry.stride_bytes);
      item.set("bytes_per_s", rounded(entry.useful.value()));
    }
  }
  if (l2) json.set("l2", l2->to_json());
  if (tlb) json.set("tlb", tlb->to_json());
  if (random_reads) json.set("random_reads", random_reads->to_json());
  write_list(json, "host_link", host_link);
  return json;
}

}  // namespace brink::cost
