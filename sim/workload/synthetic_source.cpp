#include "sim/workload/synthetic_source.h"

namespace brink::workload {

std::optional<Request> SyntheticSource::next() {
  if (num_requests_ && static_cast<std::int64_t>(next_id_) >= *num_requests_) return std::nullopt;
  const std::optional<Seconds> at = arrivals_ ? arrivals_->next() : Seconds(0.0);
  if (!at) return std::nullopt;
  const Lengths::Pair lengths = lengths_.of(next_id_);
  return Request{RequestId{next_id_++}, *at, lengths.input_tokens, lengths.output_tokens};
}

}  // namespace brink::workload
