// Role: under strict isolation no step mixes tenants; this says whose batch a replica runs next. Knows who has
// work and nothing else: no clock, no lengths.
#pragma once

#include <cstdint>
#include <memory>

namespace brink::policy {

class ITenantTurn {
 public:
  virtual ~ITenantTurn() = default;
  /// `tenant` has work from now on (again allowed: no effect while it has). O(1).
  virtual void join(std::int32_t tenant) = 0;
  /// `tenant` has none left (again allowed). O(1).
  virtual void leave(std::int32_t tenant) = 0;
  /// Tenants that have work.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// Whose batch is next, or -1 when nobody has work; counts as that tenant's turn. O(1).
  virtual std::int32_t next() = 0;
  /// The tenant that next() named could not use its turn (no KV block, say): the one after it comes next. A
  /// round of size() such answers means that nobody can run now.
  virtual void pass() = 0;
};

/// Each tenant with work in turn, for `quantum_steps` steps in a row. Aging bounds the wait of the others:
/// once the tenant at the head has waited `age_steps` steps the turn moves on although the quantum is not used up.
/// With the quantum of 1 nobody waits longer than all others take one step each.
[[nodiscard]] std::unique_ptr<ITenantTurn> make_round_robin_turn(std::int64_t quantum_steps = 1,
                                                                 std::int64_t age_steps = 1'000'000);

}  // namespace brink::policy
