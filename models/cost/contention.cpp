#include "models/cost/contention.h"

#include "models/cost/significant.h"

namespace brink::cost {
namespace {

// Sharing a bandwidth between two cannot cost more than this; a larger factor is a broken measurement.
constexpr double kSlowdownMax = 20.0;

CopyContention read_copy(ObjectReader reader) {
  CopyContention copy;
  copy.copy = reader.string("copy");
  copy.kernel_slowdown = reader.number("kernel_slowdown", Range::between(0.9, kSlowdownMax));
  copy.copy_slowdown = reader.number("copy_slowdown", Range::between(0.9, kSlowdownMax));
  copy.copy_rate = BytesPerSecond(reader.number("copy_bytes_per_s", Range::at_least(0.0, "B/s")));
  reader.finish();
  return copy;
}

SustainedClock read_sustained(ObjectReader reader) {
  SustainedClock clock;
  clock.type = reader.string("type");
  clock.clock = Hertz(reader.number("clock_hz", Range::positive("Hz")));
  clock.power = Watts(reader.number("power_w", Range::at_least(0.0, "W")));
  clock.rate = FlopsPerSecond(reader.number("flops", Range::positive("FLOP/s")));
  clock.burst = FlopsPerSecond(reader.number("burst_flops", Range::positive("FLOP/s")));
  reader.finish();
  return clock;
}

}  // namespace

const CopyContention* Contention::beside(const std::string& copy) const {
  for (const CopyContention& entry : copies)
    if (entry.copy == copy) return &entry;
  return nullptr;
}

const SustainedClock* Contention::at(const std::string& type) const {
  for (const SustainedClock& entry : sustained)
    if (entry.type == type) return &entry;
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
    item.set("kernel_slowdown", round_significant(copy.kernel_slowdown, 5));
    item.set("copy_slowdown", round_significant(copy.copy_slowdown, 5));
    item.set("copy_bytes_per_s", round_significant(copy.copy_rate.value()));
  }
  Json& clocks = json.set("sustained", Json::array());
  for (const SustainedClock& clock : sustained) {
    Json& item = clocks.push_back(Json::object());
    item.set("type", clock.type);
    item.set("clock_hz", round_significant(clock.clock.value()));
    item.set("power_w", round_significant(clock.power.value(), 4));
    item.set("flops", round_significant(clock.rate.value()));
    item.set("burst_flops", round_significant(clock.burst.value()));
  }
  return json;
}

}  // namespace brink::cost
