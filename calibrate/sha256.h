// SHA-256 (FIPS 180-4), for the provenance of a fit.
#pragma once

#include <string>
#include <string_view>

namespace brink::calibrate {

/// Hexadecimal digest of `data`.
[[nodiscard]] std::string sha256_hex(std::string_view data);

}  // namespace brink::calibrate
