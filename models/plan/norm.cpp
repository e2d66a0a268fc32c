#include "models/plan/norm.h"

#include <algorithm>
#include <fmt/format.h>

namespace brink::plan {
namespace {

constexpr std::int64_t kManyTokens = 256;
constexpr std::uint64_t kSalt = 0x6e6f726d;

}  // namespace

std::int64_t norm_threads(std::int64_t tokens, std::int64_t hidden, bool batch_invariant) {
  return std::min<std::int64_t>(hidden, tokens < kManyTokens || batch_invariant ? 1024 : 256);
}

Choice choose_norm(std::int64_t tokens, std::int64_t hidden, bool batch_invariant, TacticNames& names) {
  const std::int64_t threads = norm_threads(tokens, hidden, batch_invariant);
  Choice choice;
  choice.tactic_id = names.intern(fmt::format("rms_norm/threads={}", threads));
  choice.reduction_sig = signature_hash(kSalt, static_cast<std::uint64_t>(threads));
  if (batch_invariant && threads != norm_threads(tokens, hidden, false)) choice.fallback = Fallback::batch_invariant;
  return choice;
}

}  // namespace brink::plan
