// Numbers as text, the same on every machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "models/base/units.h"

namespace brink::telemetry {

inline void append(std::string& out, std::int64_t value) { fmt::format_to(std::back_inserter(out), "{}", value); }

/// Nine decimals: a nanosecond. Nothing for an instant that was never reached (NaN).
inline void append_seconds(std::string& out, Seconds value) {
  if (!std::isnan(value.value())) fmt::format_to(std::back_inserter(out), "{:.9f}", value.value());
}

/// Six decimals for ratios and milliseconds; nothing for NaN.
inline void append_decimal(std::string& out, double value) {
  if (!std::isnan(value)) fmt::format_to(std::back_inserter(out), "{:.6f}", value);
}

/// Microseconds with three decimals, as the Chrome trace format counts time.
inline void append_us(std::string& out, Seconds value) {
  fmt::format_to(std::back_inserter(out), "{:.3f}", value.value() * 1e6);
}

}  // namespace brink::telemetry
