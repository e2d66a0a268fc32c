// How much of a departing request's KV existed before a batch.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sim/serving/i_kv_consumer.h"

namespace brink::conditions {

/// Tokens it had in the cache before batch `batch` wrote any; `last` is the last batch begun. Exact for whole
/// prefills and for one token a batch; a cut prefill and a sequence that skips batches (isolated tenants take
/// turns) count as written evenly.
[[nodiscard]] inline std::int64_t tokens_before(const serving::KvDeparture& request, std::uint64_t batch, std::uint64_t last) {
  if (batch <= request.admitted_batch) return 0;
  if (batch > last) return request.tokens;
  const std::int64_t prompt = request.tokens - request.decoded;
  const auto share = [](std::int64_t whole, std::uint64_t part, std::uint64_t of) {
    const double exact = static_cast<double>(whole) * static_cast<double>(part) / static_cast<double>(of);
    return std::min(whole, static_cast<std::int64_t>(exact + 0.5));
  };
  if (batch > request.prefilled_batch) {
    return prompt + share(request.decoded, batch - request.prefilled_batch - 1, last - request.prefilled_batch);
  }
  return share(prompt, batch - request.admitted_batch, request.prefilled_batch - request.admitted_batch + 1);
}

}  // namespace brink::conditions
