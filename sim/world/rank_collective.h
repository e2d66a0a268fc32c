// Collectives rank by rank on the platform's links: every rank an actor, every phase flows.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "sim/world/i_rank_fabric.h"
#include "sim/world/world.h"

namespace brink::world {

/// In a phase a rank first waits its alpha, then sends; it goes on when what it sends and what it receives has
/// arrived, so a late rank or a slow link holds up those that depend on it and nobody else. Flows share links
/// max-min with everything else under way. One for a World; it must outlive the World's run.
class RankCollectives final : public IRankFabric {
 public:
  /// `platform` is the World's.
  RankCollectives(World& world, const Platform& platform);
  ~RankCollectives() override;

  std::uint64_t start(RankStep step, std::uint32_t component, EventHandler& handler, std::uint32_t kind) override;
  RankOutcome take(std::uint64_t ticket) override;

  /// Flows started so far.
  [[nodiscard]] std::uint64_t flows() const { return flows_; }

 private:
  struct Run;
  struct RankPhase;
  struct Slot;

  std::size_t free_slot();
  void launch(std::uint64_t ticket);
  void run_rank(Run& run, std::size_t rank);
  void run_phase(const RankPhase& phase);

  World& world_;
  const Platform& platform_;
  std::map<std::uint64_t, std::unique_ptr<Run>> runs_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::uint64_t next_ = 0;
  std::uint64_t flows_ = 0;
};

}  // namespace brink::world
