// What it costs to start work on one GPU, apart from the work.
#pragma once

#include <optional>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"

namespace brink::cost {

/// The `launch` section of a profile. A cost that was not measured is absent.
struct LaunchCosts {
  std::optional<Seconds> host_launch;   ///< host time of one stream launch: a stream of small kernels cannot run faster
  std::optional<Seconds> kernel_gap;    ///< GPU time from one empty kernel of a stream to the next
  std::optional<Seconds> graph_host;    ///< host time of one graph launch
  std::optional<Seconds> graph_launch;  ///< fixed time from launching a graph to knowing that it has ended
  std::optional<Seconds> graph_node;    ///< GPU time an empty kernel node adds to a replay

  /// Time of a replay of `nodes` empty kernels; nothing when the two costs were not measured.
  [[nodiscard]] std::optional<Seconds> replay(double nodes) const {
    return graph_launch && graph_node ? std::optional(*graph_launch + *graph_node * nodes) : std::nullopt;
  }

  /// Throws ConfigError for a field that is mistyped, unknown or out of range.
  static LaunchCosts from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

}  // namespace brink::cost
