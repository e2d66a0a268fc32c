#include "models/plan/gemm_measured.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "models/base/random.h"

namespace brink::plan {
namespace {

using Table = cost::GemmTacticTable;

/// The table of the largest workspace within the limit.
const Table* table_within(const cost::GemmTactics& tactics, cost::GemmType type, const GemmShape& shape, Bytes limit) {
  const Table* best = nullptr;
  for (const Table& table : tactics.tables) {
    const bool fits = table.type == type && table.n == shape.n && table.k == shape.k && table.workspace <= limit;
    if (fits && (best == nullptr || table.workspace > best->workspace)) best = &table;
  }
  return best;
}

ReductionSig split_signature(const cost::GemmTactics& tactics, cost::GemmType type, std::int64_t split,
                             std::int64_t rank) {
  ReductionSig sig = signature_hash(name_hash("measured"), name_hash(tactics.library));
  sig = signature_hash(sig, static_cast<std::uint64_t>(type));
  sig = signature_hash(sig, static_cast<std::uint64_t>(split));
  return signature_hash(sig, static_cast<std::uint64_t>(rank));
}

std::int64_t split_of_class(const cost::GemmTactics& tactics, const Table& table, std::int64_t bits) {
  for (const auto& run : table.bit_classes) {
    if (run.bits != bits) continue;
    const auto tactic = table.tactic(run.first);
    return tactic ? tactics.split_k(*tactic) : 0;
  }
  return 0;
}

ReductionSig class_signature(const cost::GemmTactics& tactics, const Table& table, std::int64_t m, std::size_t tactic) {
  const auto bits = table.bits(m);
  if (!bits) return split_signature(tactics, table.type, tactics.split_k(tactic), 0);
  const std::int64_t split = split_of_class(tactics, table, *bits);
  std::int64_t rank = 0;
  for (std::int64_t earlier = 0; earlier < *bits; ++earlier)
    rank += split_of_class(tactics, table, earlier) == split ? 1 : 0;
  return split_signature(tactics, table.type, split, rank);
}

/// Reduction scheme of a name ("/r1": CUBLASLT_REDUCTION_SCHEME_INPLACE, the one without a fixed order).
bool in_place(std::string_view name) {
  const std::size_t at = name.find("/r");
  int scheme = 0;
  if (at != std::string_view::npos) std::from_chars(name.data() + at + 2, name.data() + name.size(), scheme);
  return scheme == 1;
}

/// Ratio of two tactics' times at the timed m nearest to `m` (by its logarithm) where both were timed.
std::optional<double> time_ratio(const Table& above, std::size_t tactic, const Table& below, std::size_t base,
                                 std::int64_t m) {
  std::optional<double> ratio;
  double nearest = std::numeric_limits<double>::infinity();
  for (const auto& entry : above.timed) {
    if (entry.tactic != tactic) continue;
    const double distance = std::abs(std::log(static_cast<double>(entry.m) / static_cast<double>(m)));
    if (distance >= nearest) continue;
    const auto time = below.time(entry.m, base);
    if (!time) continue;
    nearest = distance;
    ratio = entry.time / *time;
  }
  return ratio;
}

struct Lookup {
  const Table* table;
  const Table* base;
  std::size_t tactic, base_tactic;
};

std::optional<Lookup> look_up(const cost::GemmTactics& tactics, cost::GemmType type, const GemmShape& shape,
                              Bytes workspace, Bytes default_workspace) {
  const Table* table = table_within(tactics, type, shape, workspace);
  const Table* base = table_within(tactics, type, shape, default_workspace);
  if (table == nullptr || base == nullptr) return std::nullopt;
  const auto tactic = table->tactic(shape.m), base_tactic = base->tactic(shape.m);
  if (!tactic || !base_tactic) return std::nullopt;
  return Lookup{table, base, *tactic, *base_tactic};
}

MeasuredChoice described(const cost::GemmTactics& tactics, const Lookup& found, std::size_t tactic, std::int64_t m) {
  MeasuredChoice choice;
  choice.name = "measured/" + tactics.names.at(tactic);
  choice.split = tactics.split_k(tactic);
  choice.deterministic = choice.split == 1 || !in_place(tactics.names.at(tactic));
  choice.as_default = tactic == found.base_tactic;
  choice.signature = tactic == found.tactic ? class_signature(tactics, *found.table, m, tactic)
                                            : split_signature(tactics, found.table->type, choice.split, 0);
  choice.relative_time =
      choice.as_default ? std::optional(1.0) : time_ratio(*found.table, tactic, *found.base, found.base_tactic, m);
  return choice;
}

}  // namespace

std::optional<MeasuredChoice> measured_choice(const cost::GemmTactics& tactics, cost::GemmType type,
                                              const GemmShape& shape, Bytes workspace, Bytes default_workspace) {
  const auto found = look_up(tactics, type, shape, workspace, default_workspace);
  if (!found) return std::nullopt;
  return described(tactics, *found, found->tactic, shape.m);
}

std::optional<MeasuredChoice> measured_autotune(const cost::GemmTactics& tactics, cost::GemmType type,
                                                const GemmShape& shape, Bytes workspace, Bytes default_workspace,
                                                const TuningNoise& noise) {
  const auto found = look_up(tactics, type, shape, workspace, default_workspace);
  if (!found) return std::nullopt;
  const RandomStream stream(noise.seed, "gemm autotune");
  ReductionSig key = signature_hash(static_cast<std::uint64_t>(type), static_cast<std::uint64_t>(shape.m));
  key = signature_hash(signature_hash(key, static_cast<std::uint64_t>(shape.n)), static_cast<std::uint64_t>(shape.k));
  std::size_t best = 0, timed = 0;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& entry : found->table->timed) {
    if (entry.m != shape.m) continue;
    ++timed;
    const double time = entry.time.value() * (1.0 + noise.relative * stream.normal({key, noise.replica, entry.tactic}));
    if (time < least) {
      least = time;
      best = entry.tactic;
    }
  }
  if (timed < 2) return std::nullopt;
  return described(tactics, *found, best, shape.m);
}

}  // namespace brink::plan
