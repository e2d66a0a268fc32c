#include "sim/conditions/confidential.h"

#include <algorithm>

namespace brink::conditions {

Bytes StepCopies::device_bytes() const {
  // Token ids and slots are 4 and 8 bytes a token, positions 8; lengths, offsets and logits indices 4 a sequence.
  const double per_token = 4.0 + 8.0 + 8.0;
  const double per_sequence = 3 * 4.0 + 4.0 * static_cast<double>(blocks_per_sequence);
  return Bytes(per_token * static_cast<double>(tokens) + per_sequence * static_cast<double>(sequences));
}

Bytes StepCopies::host_bytes() const { return Bytes(8.0 * static_cast<double>(sampled)); }

Seconds ConfidentialCost::extra(int copies, Bytes bytes) const {
  const Seconds slower = bytes / host_link() - bytes / link_;
  return (settings_.copy + settings_.dma_remap) * copies + slower;
}

Seconds ConfidentialCost::host_before(const StepCopies& copies) const {
  return extra(StepCopies::to_device, copies.device_bytes());
}

Seconds ConfidentialCost::host_after(const StepCopies& copies) const {
  return extra(StepCopies::to_host, copies.host_bytes());
}

Seconds ConfidentialCost::transfer(Bytes bytes) const { return settings_.copy + settings_.dma_remap + bytes / host_link(); }

BytesPerSecond ConfidentialCost::host_link() const { return std::min(settings_.bounce, link_); }

}  // namespace brink::conditions
