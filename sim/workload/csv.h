// Comma-separated fields without quoting: all that request traces use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/base/units.h"

namespace brink::workload {

/// More tokens than this in one request is a damaged file, not a prompt.
inline constexpr std::int64_t request_tokens_max = 1'000'000'000;

/// Splits at commas and strips blanks around fields. `fields` is reused between rows.
void split_fields(std::string_view line, std::vector<std::string_view>& fields);

/// Position of `name` among the fields of a header, or nullopt.
[[nodiscard]] std::optional<std::size_t> column_of(const std::vector<std::string_view>& header, std::string_view name);

/// A count of tokens in [1, request_tokens_max]. Throws Error naming the column.
[[nodiscard]] std::int64_t parse_tokens(std::string_view text, std::string_view column);

/// Seconds, finite and >= 0. Throws Error naming the column.
[[nodiscard]] Seconds parse_seconds(std::string_view text, std::string_view column);

/// "a,b,c" for messages.
[[nodiscard]] std::string join_fields(const std::vector<std::string_view>& fields);

}  // namespace brink::workload
