#pragma once

#include <vector>

namespace brink::kernels {

class Session;

/// One question asked of the machine.
struct Group {
  const char* name;
  void (*run)(Session&);
  const char* help;  ///< one line for --list
  double nominal_s;  ///< what it takes on an H100; a group is cut off at group_overrun times this
};

/// A group may take this multiple of its nominal time before the next one gets its turn.
inline constexpr double group_overrun = 2.0;

/// Every group, in the order they run. A new group is one line in groups.cu.
const std::vector<Group>& groups();

}  // namespace brink::kernels
