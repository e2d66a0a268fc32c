// Calendar timestamps of traces, read without loss.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace brink::workload {

/// "YYYY-MM-DD HH:MM:SS[.f]" (a 'T' may stand for the blank; up to nine decimals; UTC, with or
/// without "Z" or "+00:00") as nanoseconds since 1970-01-01, exactly. Years 1970 to 2261.
/// nullopt when the text is anything else or names a date that does not exist.
[[nodiscard]] std::optional<std::int64_t> parse_timestamp_ns(std::string_view text);

}  // namespace brink::workload
