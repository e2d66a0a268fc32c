// Whose request is whose: a tenant is drawn for each request by its number.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "models/base/object_reader.h"
#include "models/base/random.h"
#include "sim/workload/i_request_source.h"

namespace brink::workload {

class Tenants {
 public:
  /// Reads {"count": n} or {"weights": [...]}. Throws ConfigError.
  Tenants(ObjectReader in, std::uint64_t seed);

  /// The tenant of request `request`: a function of seed and number alone, so that having tenants changes no
  /// arrival and no length.
  [[nodiscard]] std::int32_t of(std::uint64_t request) const;
  /// Expected share of the requests by tenant; they sum to 1.
  [[nodiscard]] const std::vector<double>& shares() const { return shares_; }

 private:
  std::vector<double> shares_, upto_;  // upto_: shares summed up
  RandomStream stream_;
};

/// The requests of `source`, each given its tenant.
[[nodiscard]] std::unique_ptr<IRequestSource> with_tenants(std::unique_ptr<IRequestSource> source, Tenants tenants);

}  // namespace brink::workload
