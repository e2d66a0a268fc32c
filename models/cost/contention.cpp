#include "models/cost/contention.h"

#include "models/cost/significant.h"

namespace brink::cost {
namespace {

// Sharing a bandwidth between two cannot cost more than this; a larger factor is a broken measurement.
constexpr double kSlowdownMax = 20.0;

CopyContention read_copy(ObjectReader reader) {
  CopyContention copy;
  copy.copy = reader.string("copy");
  copy.block = Bytes(reader.number("block_bytes", Range::positive("B")));
  copy.kernel_slowdown = reader.number("kernel_slowdown", Range::between(0.9, kSlowdownMax));
  copy.copy_slowdown = reader.number("copy_slowdown", Range::between(0.9, kSlowdownMax));
  copy.copy_alone = BytesPerSecond(reader.number("copy_alone_bytes_per_s", Range::positive("B/s")));
  reader.finish();
  return copy;
}

template <class Rate>
std::optional<Rate> read_rate(ObjectReader& reader, std::string_view key) {
  return reader.has(key) ? std::optional(Rate(reader.number(key, Range::positive("1/s")))) : std::nullopt;
}

SustainedLoad read_sustained(ObjectReader reader) {
  SustainedLoad load;
  load.load = reader.string("load");
  load.clock = Hertz(reader.number("clock_hz", Range::positive("Hz")));
  load.power = Watts(reader.number_or("power_w", 0.0, Range::at_least(0.0, "W")));
  load.flops = read_rate<FlopsPerSecond>(reader, "flops");
  load.burst_flops = read_rate<FlopsPerSecond>(reader, "burst_flops");
  load.bytes = read_rate<BytesPerSecond>(reader, "bytes_per_s");
  load.burst_bytes = read_rate<BytesPerSecond>(reader, "burst_bytes_per_s");
  reader.finish();
  return load;
}

Json load_json_of(const SustainedLoad& load) {
  Json json = Json::object();
  json.set("load", load.load);
  json.set("clock_hz", round_significant(load.clock.value()));
  if (load.power.value() > 0.0) json.set("power_w", round_significant(load.power.value(), 4));
  const auto put = [&json](const char* key, const auto& rate) {
    if (rate) json.set(key, round_significant(rate->value()));
  };
  put("flops", load.flops);
  put("burst_flops", load.burst_flops);
  put("bytes_per_s", load.bytes);
  put("burst_bytes_per_s", load.burst_bytes);
  return json;
}

}  // namespace

const CopyContention* Contention::beside(const std::string& copy) const {
  const CopyContention* best = nullptr;
  for (const CopyContention& entry : copies)
    if (entry.copy == copy && (best == nullptr || entry.block > best->block)) best = &entry;
  return best;
}

const SustainedLoad* Contention::under(const std::string& load) const {
  for (const SustainedLoad& entry : sustained)
    if (entry.load == load) return &entry;
  return nullptr;
}

Contention Contention::from_json(ObjectReader reader) {
  Contention contention;
  reader.each("copies", [&](const Json& item, const std::string& pointer) { contention.copies.push_back(read_copy(ObjectReader(item, pointer))); });
  reader.each("sustained", [&](const Json& item, const std::string& pointer) { contention.sustained.push_back(read_sustained(ObjectReader(item, pointer))); });
  reader.finish();
  return contention;
}

Json Contention::to_json() const {
  Json json = Json::object();
  Json& list = json.set("copies", Json::array());
  for (const CopyContention& copy : copies) {
    Json& item = list.push_back(Json::object());
    item.set("copy", copy.copy);
    item.set("block_bytes", copy.block.value());
    item.set("kernel_slowdown", round_significant(copy.kernel_slowdown, 5));
    item.set("copy_slowdown", round_significant(copy.copy_slowdown, 5));
    item.set("copy_alone_bytes_per_s", round_significant(copy.copy_alone.value()));
  }
  Json& loads = json.set("sustained", Json::array());
  for (const SustainedLoad& load : sustained) loads.push_back(load_json_of(load));
  return json;
}

}  // namespace brink::cost
