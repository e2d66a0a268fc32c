#include "models/cost/gpu_facts.h"

namespace brink::cost {

GpuFacts GpuFacts::from_json(ObjectReader reader) {
  GpuFacts facts;
  facts.name = reader.string("name");
  facts.sm_count = reader.integer("sm_count", Range::between(1, 4096));
  facts.clock = Hertz(reader.number("clock_hz", Range::positive("Hz")));
  facts.peak_bf16 = FlopsPerSecond(reader.number("peak_bf16_flops", Range::positive("FLOP/s")));
  facts.sustained_bf16 = FlopsPerSecond(reader.number("sustained_bf16_flops", Range::positive("FLOP/s")));
  facts.peak_fp8 = FlopsPerSecond(reader.number("peak_fp8_flops", Range::positive("FLOP/s")));
  facts.sustained_fp8 = FlopsPerSecond(reader.number("sustained_fp8_flops", Range::positive("FLOP/s")));
  facts.hbm_peak = BytesPerSecond(reader.number("hbm_peak_bytes_per_s", Range::positive("B/s")));
  facts.hbm_copy = BytesPerSecond(reader.number("hbm_copy_bytes_per_s", Range::positive("B/s")));
  facts.l2_bandwidth = BytesPerSecond(reader.number("l2_bytes_per_s", Range::positive("B/s")));
  facts.l2_size = Bytes(reader.number("l2_size_bytes", Range::positive("B")));
  reader.ignore("sources");
  reader.finish();
  return facts;
}

Json GpuFacts::to_json() const {
  Json json = Json::object();
  json.set("name", name);
  json.set("sm_count", sm_count);
  json.set("clock_hz", clock.value());
  json.set("peak_bf16_flops", peak_bf16.value());
  json.set("sustained_bf16_flops", sustained_bf16.value());
  json.set("peak_fp8_flops", peak_fp8.value());
  json.set("sustained_fp8_flops", sustained_fp8.value());
  json.set("hbm_peak_bytes_per_s", hbm_peak.value());
  json.set("hbm_copy_bytes_per_s", hbm_copy.value());
  json.set("l2_bytes_per_s", l2_bandwidth.value());
  json.set("l2_size_bytes", l2_size.value());
  return json;
}

}  // namespace brink::cost
