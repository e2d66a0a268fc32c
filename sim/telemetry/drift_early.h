// The stability budget of early tokens: a flip in the first few turns the whole answer, so each tenant is told how much
// of the chance it allows is spent.
#pragma once

#include <cstdint>
#include <map>

#include "models/base/json.h"
#include "models/drift/flip_law.h"
#include "sim/serving/i_drift_tracker.h"

namespace brink::telemetry {

struct EarlyBudget {
  std::int64_t tokens = 32;    // the first ones of an answer
  /// P(a request's early tokens hold a flip) that a tenant allows in the mean; ours, one request in a thousand.
  double flips = 1e-3;
};

class DriftEarly {
 public:
  DriftEarly(const drift::FlipLaw& law, const EarlyBudget& budget) : law_(law), hazard_(law.hazard()), budget_(budget) {}

  void add(std::int32_t tenant, const serving::DriftOutcome& drift, std::int64_t output_tokens);

  /// For every tenant, means over its requests: exposed early tokens; how far margins are expected to have moved in sum
  /// (exposed tokens x q x median |Delta|); P(early flip) and its share of the budget; and how many requests alone
  /// exceed it.
  [[nodiscard]] Json json() const;

 private:
  struct Tenant {
    std::int64_t requests = 0, exposed = 0, over = 0;
    double flips = 0.0;
  };

  drift::FlipLaw law_;
  double hazard_;
  EarlyBudget budget_;
  std::map<std::int32_t, Tenant> tenants_;
};

}  // namespace brink::telemetry
