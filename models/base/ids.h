// Typed ids: a replica's number cannot be passed where a request's is wanted.
#pragma once

#include <compare>
#include <cstdint>

namespace brink {

template <class Tag>
struct Id {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const Id&) const = default;
};

using RequestId = Id<struct RequestTag>;
using ReplicaId = Id<struct ReplicaTag>;
using RankId = Id<struct RankTag>;
using NodeId = Id<struct NodeTag>;

}  // namespace brink
