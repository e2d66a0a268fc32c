// Role: a stream of requests in arrival order. Implementations read a trace or draw from
// distributions, one request at a time: memory does not grow with the length of the trace.
#pragma once

#include <optional>

#include "sim/workload/request.h"

namespace brink::workload {

class IRequestSource {
 public:
  virtual ~IRequestSource() = default;

  /// The next request, arrivals non-decreasing, ids 0, 1, 2, ...; nullopt for ever after the last.
  /// Throws TraceError (file, line) on a malformed row.
  virtual std::optional<Request> next() = 0;

  /// How many requests there will be, when that is known beforehand (for progress only).
  [[nodiscard]] virtual std::optional<std::int64_t> size_hint() const { return std::nullopt; }
};

}  // namespace brink::workload
