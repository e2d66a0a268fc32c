#include "models/drift/arithmetic.h"

#include <array>

namespace brink::drift {

const char* name(Arithmetic arithmetic) {
  constexpr std::array names = {"fp32", "tf32", "fp16", "bf16", "fp8_e4m3", "fp8_e5m2", "int8"};
  return names[static_cast<std::size_t>(arithmetic)];
}

double unit_roundoff(Arithmetic arithmetic) {
  constexpr std::array roundoffs = {0x1p-24, 0x1p-11, 0x1p-11, 0x1p-8, 0x1p-4, 0x1p-3, 0.0};
  return roundoffs[static_cast<std::size_t>(arithmetic)];
}

}  // namespace brink::drift
