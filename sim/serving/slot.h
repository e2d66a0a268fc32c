// A request's place in the slab of active ones.
#pragma once

#include <cstdint>

namespace brink::serving {

/// Index into a SequencePool.
using Slot = std::uint32_t;
inline constexpr Slot no_slot = 0xffffffffU;

}  // namespace brink::serving
