#include "sim/world/rank_collective.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>
#include <simgrid/s4u.hpp>

namespace brink::world {

namespace s4u = simgrid::s4u;

/// A phase as one rank sees it.
struct RankCollectives::RankPhase {
  Seconds alpha;
  std::vector<std::pair<s4u::Mailbox*, std::uint64_t>> sends;  // bytes
  std::vector<s4u::Mailbox*> receives;
};

struct RankCollectives::Run {
  RankStep step;
  std::uint64_t ticket = 0;
  std::size_t slot = 0;
  std::uint32_t component = 0, kind = 0;
  EventHandler* handler = nullptr;
  Seconds began;
  std::int64_t collectives = 0;
  std::vector<std::vector<std::vector<RankPhase>>> phases;  // [rank][program][phase], those it takes part in
  std::vector<Seconds> finish, inside;                      // inside: time in collectives
  std::size_t left = 0;
};

/// Mailboxes of a run, for the next one when it is over: SimGrid keeps them for ever.
struct RankCollectives::Slot {
  bool taken = false;
  std::map<std::pair<std::int32_t, std::int32_t>, s4u::Mailbox*> boxes;
};

namespace {

// A payload's address must be something; nobody reads it.
int payload = 0;

void check(const RankStep& step, std::size_t hosts) {
  if (step.hosts.empty() || step.compute.size() != step.hosts.size())
    throw std::invalid_argument(fmt::format("rank step: {} compute times for {} ranks", step.compute.size(), step.hosts.size()));
  for (const std::size_t host : step.hosts)
    if (host >= hosts) throw std::invalid_argument(fmt::format("rank step: host {} of {}", host, hosts));
  for (const StepCollective& collective : step.collectives) {
    if (collective.count < 0 || collective.program == nullptr || collective.program->ranks != static_cast<std::int64_t>(step.hosts.size()))
      throw std::invalid_argument("rank step: a collective without a program, or of another number of ranks");
  }
}

}  // namespace

RankStep coalesced(RankStep step, std::int64_t collectives) {
  std::int64_t total = 0;
  for (const StepCollective& collective : step.collectives) total += collective.count;
  if (total <= collectives || collectives < 1) return step;
  const double fold = static_cast<double>(total) / static_cast<double>(collectives);
  for (StepCollective& collective : step.collectives) {
    if (collective.count < 1) continue;
    const auto runs = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(static_cast<double>(collective.count) / fold)));
    const double each = static_cast<double>(collective.count) / static_cast<double>(runs);
    collective.program = std::make_shared<const fabric::CollectiveProgram>(scaled(*collective.program, each));
    collective.count = runs;
  }
  return step;
}

RankCollectives::RankCollectives(World& world, const Platform& platform) : world_(world), platform_(platform) {}
RankCollectives::~RankCollectives() = default;

std::uint64_t RankCollectives::start(RankStep step, std::uint32_t component, EventHandler& handler, std::uint32_t kind) {
  check(step, platform_.hosts.size());
  const std::uint64_t ticket = next_++;
  auto run = std::make_unique<Run>();
  run->ticket = ticket;
  run->component = component;
  run->kind = kind;
  run->handler = &handler;
  run->slot = free_slot();
  run->began = world_.now();
  run->left = step.hosts.size();
  run->finish.resize(step.hosts.size());
  run->inside.resize(step.hosts.size());
  for (const StepCollective& collective : step.collectives) run->collectives += collective.count;
  run->step = std::move(step);
  runs_.emplace(ticket, std::move(run));
  world_.enter([this, ticket] { launch(ticket); });
  return ticket;
}

std::size_t RankCollectives::free_slot() {
  const auto free = std::find_if(slots_.begin(), slots_.end(), [](const auto& slot) { return !slot->taken; });
  const auto index = static_cast<std::size_t>(free - slots_.begin());
  if (free == slots_.end()) slots_.push_back(std::make_unique<Slot>());
  slots_[index]->taken = true;
  return index;
}

// In SimGrid's main loop, at the step's beginning.
void RankCollectives::launch(std::uint64_t ticket) {
  Run& run = *runs_.at(ticket);
  const std::size_t ranks = run.step.hosts.size();
  // One mailbox for each ordered pair of ranks of a run under way: what meets in it is in the order of the phases.
  const auto box = [&](const fabric::Transfer& transfer) {
    s4u::Mailbox*& found = slots_[run.slot]->boxes[{transfer.from, transfer.to}];
    if (found == nullptr) found = s4u::Mailbox::by_name(fmt::format("{}:{}:{}", run.slot, transfer.from, transfer.to));
    return found;
  };
  run.phases.assign(ranks, std::vector<std::vector<RankPhase>>(run.step.collectives.size()));
  for (std::size_t c = 0; c < run.step.collectives.size(); ++c) {
    for (const fabric::Phase& phase : run.step.collectives[c].program->phases) {
      std::vector<RankPhase> own(ranks);
      for (const fabric::Transfer& transfer : phase.transfers) {
        const auto bytes = static_cast<std::uint64_t>(std::llround(transfer.size.value()));
        if (bytes == 0) continue;
        own[static_cast<std::size_t>(transfer.from)].sends.emplace_back(box(transfer), bytes);
        own[static_cast<std::size_t>(transfer.to)].receives.push_back(box(transfer));
      }
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        own[rank].alpha = phase.alpha;
        if (!own[rank].sends.empty() || !own[rank].receives.empty()) run.phases[rank][c].push_back(std::move(own[rank]));
      }
    }
  }
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    s4u::Actor::create(fmt::format("rank{}", rank), s4u::Host::by_name(platform_.hosts[run.step.hosts[rank]].name),
                       [this, &run, rank] { run_rank(run, rank); });
  }
}

void RankCollectives::run_rank(Run& run, std::size_t rank) {
  const Seconds share = run.step.compute[rank] / static_cast<double>(std::max<std::int64_t>(run.collectives, 1));
  const auto compute = [&] { if (share > Seconds(0.0)) s4u::this_actor::sleep_for(share.value()); };
  if (run.collectives == 0) compute();
  for (std::size_t c = 0; c < run.step.collectives.size(); ++c) {
    for (std::int64_t i = 0; i < run.step.collectives[c].count; ++i) {
      compute();
      const double arrived = s4u::Engine::get_clock();
      for (const RankPhase& phase : run.phases[rank][c]) run_phase(phase);
      run.inside[rank] += Seconds(s4u::Engine::get_clock() - arrived);
    }
  }
  run.finish[rank] = Seconds(s4u::Engine::get_clock()) - run.began;
  if (--run.left > 0) return;
  slots_[run.slot]->taken = false;
  world_.leave(run.component, *run.handler, run.kind, run.ticket);
}

void RankCollectives::run_phase(const RankPhase& phase) {
  std::vector<s4u::CommPtr> under_way;
  under_way.reserve(phase.sends.size() + phase.receives.size());
  std::vector<int*> received(phase.receives.size());
  for (std::size_t i = 0; i < phase.receives.size(); ++i) under_way.push_back(phase.receives[i]->get_async<int>(&received[i]));
  if (phase.alpha > Seconds(0.0)) s4u::this_actor::sleep_for(phase.alpha.value());
  for (const auto& [box, bytes] : phase.sends) under_way.push_back(box->put_async(&payload, bytes));
  flows_ += phase.sends.size();
  s4u::Comm::wait_all(under_way);
}

RankOutcome RankCollectives::take(std::uint64_t ticket) {
  const auto found = runs_.find(ticket);
  if (found == runs_.end() || found->second->left != 0) throw std::invalid_argument("rank step: not finished, or taken before");
  const Run& run = *found->second;
  RankOutcome outcome{run.finish, run.inside};
  const Seconds least = *std::min_element(run.inside.begin(), run.inside.end());
  for (Seconds& waiting : outcome.waiting) waiting -= least;
  runs_.erase(found);
  return outcome;
}

}  // namespace brink::world
