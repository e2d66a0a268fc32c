// /security: who may share a batch or a replica, and whether the machines run in confidential mode.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/base/object_reader.h"
#include "sim/conditions/confidential.h"

namespace brink::scenario {

enum class Isolation : std::uint8_t {
  shared,   // batches mix tenants
  strict,   // no step mixes tenants; they take turns on a replica
  replica,  // a tenant has replicas of its own
};
[[nodiscard]] const char* name(Isolation isolation);

struct SecuritySettings {
  Isolation isolation = Isolation::shared;
  std::optional<conditions::ConfidentialSettings> confidential;

  [[nodiscard]] bool active() const { return isolation != Isolation::shared || confidential.has_value(); }
};

/// Reads the scenario's /security (shared and not confidential when absent). Throws ConfigError with the pointer of
/// the field.
[[nodiscard]] SecuritySettings read_security(ObjectReader& scenario);

[[nodiscard]] Json to_json(const SecuritySettings& security);

}  // namespace brink::scenario
