// Time of any collective on any layout: inside a node from measured curves, between nodes from NCCL's published tuning
// constants with the measured network hop, point to point as measured. Every answer carries its badge.
#pragma once

#include "models/cost/estimate.h"
#include "models/cost/kernel_profile.h"
#include "models/fabric/collective.h"
#include "models/fabric/nccl_tuning.h"

namespace brink::cost {

/// A collective as the plan decided it. `backend`: whose curve serves it inside one node.
struct CollectiveWork {
  fabric::Collective collective;
  fabric::CollectiveProtocol protocol = fabric::CollectiveProtocol::simple;
  CollectiveBackend backend = CollectiveBackend::nccl;
};

class Collectives {
 public:
  /// `profile` outlives it.
  Collectives(const KernelProfile& profile, const fabric::NcclSetting& setting) : profile_(profile), setting_(setting) {}

  /// One rank or no bytes cost nothing. Badges: inside a node those of the curves (an operation without a curve is
  /// `extrapolated` from NCCL's model); between nodes send/recv those of its curve, NCCL's algorithms `extrapolated`
  /// (published constants, a measured hop), all-to-all and hierarchical `hypothetical`.
  /// Throws std::invalid_argument for an algorithm that does not do this.
  [[nodiscard]] Estimate time(const CollectiveWork& work) const;

  /// Latencies of the work's hops, which its phases are made of (fabric::make_program).
  [[nodiscard]] fabric::HopAlphas hops(const CollectiveWork& work) const;

 private:
  [[nodiscard]] Estimate inside(const CollectiveWork& work) const;
  [[nodiscard]] Estimate send_recv(const CollectiveWork& work) const;
  [[nodiscard]] Estimate all_to_all(const CollectiveWork& work) const;
  [[nodiscard]] Estimate hierarchical(const CollectiveWork& work) const;
  [[nodiscard]] Seconds network_hop() const;

  const KernelProfile& profile_;
  fabric::NcclSetting setting_;
};

}  // namespace brink::cost
