// SHA-256 (FIPS 180-4): names the exact bytes a result was computed from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace brink {

class Sha256 {
 public:
  void add(std::string_view bytes);
  /// Ends the message and returns 64 lower-case hexadecimal digits. Once.
  [[nodiscard]] std::string hex();

 private:
  void block(const unsigned char* bytes);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> pending_{};
  std::size_t pending_size_ = 0;
  std::uint64_t length_ = 0;
};

[[nodiscard]] std::string sha256_of(std::string_view bytes);
/// Of a file's content, read piece by piece. Throws Error when it cannot be read.
[[nodiscard]] std::string sha256_of_file(const std::string& path);

}  // namespace brink
