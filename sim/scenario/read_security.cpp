#include "sim/scenario/read_security.h"

#include <array>
#include <vector>

namespace brink::scenario {

namespace {

constexpr std::array isolations = {"shared", "strict", "replica"};
constexpr std::array confidential_fields = {"bounce_gb_per_s", "copy_us", "dma_remap_us", "attestation_s"};

conditions::ConfidentialSettings read_confidential(ObjectReader& in) {
  conditions::ConfidentialSettings out;
  out.bounce = BytesPerSecond(1e9 * in.number_or("bounce_gb_per_s", out.bounce.value() / 1e9, Range{0.0, 1e4, true, "GB/s"}));
  out.copy = microseconds(in.number_or("copy_us", to_us(out.copy), Range{0.0, 1e6, false, "us a copy"}));
  out.dma_remap = microseconds(in.number_or("dma_remap_us", to_us(out.dma_remap), Range{0.0, 1e6, false, "us a copy"}));
  out.attestation = Seconds(in.number_or("attestation_s", out.attestation.value(), Range{0.0, 1e6, false, "s"}));
  return out;
}

}  // namespace

const char* name(Isolation isolation) { return isolations[static_cast<std::size_t>(isolation)]; }

SecuritySettings read_security(ObjectReader& scenario) {
  SecuritySettings out;
  if (!scenario.has("security")) return out;
  ObjectReader in = scenario.object("security");
  const std::string isolation = in.choice_or("isolation", {isolations.begin(), isolations.end()}, isolations.front());
  for (std::size_t i = 0; i < isolations.size(); ++i) {
    if (isolation == isolations[i]) out.isolation = static_cast<Isolation>(i);
  }
  if (in.boolean_or("confidential", false)) {
    out.confidential = read_confidential(in);
  } else {
    for (const char* field : confidential_fields) {
      if (in.has(field)) throw in.error(field, in.value(field).describe(), "allowed: only with confidential: true");
    }
  }
  in.finish();
  return out;
}

Json to_json(const SecuritySettings& security) {
  Json out = Json::object();
  out.set("isolation", name(security.isolation));
  out.set("confidential", security.confidential.has_value());
  if (!security.confidential) return out;
  out.set("bounce_gb_per_s", security.confidential->bounce.value() / 1e9);
  out.set("copy_us", to_us(security.confidential->copy));
  out.set("dma_remap_us", to_us(security.confidential->dma_remap));
  out.set("attestation_s", security.confidential->attestation.value());
  return out;
}

}  // namespace brink::scenario
