// Requests drawn from distributions.
#pragma once

#include <optional>

#include "sim/workload/arrivals.h"
#include "sim/workload/i_request_source.h"
#include "sim/workload/lengths.h"

namespace brink::workload {

class SyntheticSource final : public IRequestSource {
 public:
  /// Without `arrivals` every request wants to go at instant 0 (a closed loop). At most
  /// `num_requests` requests; nullopt leaves the end to the arrivals.
  SyntheticSource(std::optional<Arrivals> arrivals, Lengths lengths, std::optional<std::int64_t> num_requests)
      : arrivals_(std::move(arrivals)), lengths_(std::move(lengths)), num_requests_(num_requests) {}

  std::optional<Request> next() override;
  [[nodiscard]] std::optional<std::int64_t> size_hint() const override { return num_requests_; }

 private:
  std::optional<Arrivals> arrivals_;
  Lengths lengths_;
  std::optional<std::int64_t> num_requests_;
  std::uint64_t next_id_ = 0;
};

}  // namespace brink::workload
