#include "models/plan/all_reduce.h"

#include <algorithm>
#include <cmath>

namespace brink::plan {
namespace {

// vLLM's custom all-reduce buffer (custom_all_reduce.py, max_size).
constexpr Bytes custom_limit = mib(8);

bool custom_supports(std::int64_t world) { return world == 2 || world == 4 || world == 6 || world == 8; }

// With symmetric memory on sm90 the custom kernel keeps only what it is faster for
// (vLLM all_reduce_utils.py, CUSTOM_ALL_REDUCE_MAX_SIZES["9.0"]).
Bytes custom_limit_with_symmetric_memory(std::int64_t world) {
  const Bytes table = world == 2 ? mib(64) : world == 4 ? mib(32) : world == 6 ? mib(0.5) : mib(0.25);
  return std::min(custom_limit, table);
}

// vLLM all_reduce_utils.py, SYMM_MEM_ALL_REDUCE_MAX_SIZES["9.0"]; for two ranks symm_mem.py has
// no multimem kernel and the custom one covers its range.
Bytes multimem_limit(std::int64_t world) { return world == 4 ? mib(32) : mib(64); }

bool multimem_supports(std::int64_t world) { return world == 4 || world == 6 || world == 8; }

// custom_all_reduce.cuh: two ranks always sum in one shot.
bool one_shot(Bytes message, std::int64_t world) {
  if (world == 2) return true;
  if (world <= 4) return message < mib(0.5);
  return message < mib(0.25);
}

}  // namespace

AllReduceTactic choose_all_reduce(Bytes message, const AllReduceSetting& setting) {
  const std::int64_t world = setting.world;
  if (world <= 1) return AllReduceTactic::none;
  const bool wired = world == 2 || setting.fully_connected;
  const Bytes limit = setting.symmetric_memory ? custom_limit_with_symmetric_memory(world) : custom_limit;
  const bool aligned = std::fmod(message.value(), 16.0) == 0.0;
  if (custom_supports(world) && wired && aligned && message < limit)
    return one_shot(message, world) ? AllReduceTactic::one_shot : AllReduceTactic::two_shot;
  const bool symmetric = setting.symmetric_memory && setting.fully_connected && multimem_supports(world);
  if (symmetric && std::fmod(message.value(), 4.0) == 0.0 && message < multimem_limit(world))
    return AllReduceTactic::multimem;
  return AllReduceTactic::nccl;
}

AllReduceTactic choose_trtllm_all_reduce(Bytes message, const AllReduceSetting& setting) {
  const std::int64_t world = setting.world;
  if (world <= 1) return AllReduceTactic::none;
  const bool wired = world == 2 || setting.fully_connected;
  if (!custom_supports(world) || !wired || std::fmod(message.value(), 16.0) != 0.0) return AllReduceTactic::nccl;
  const Bytes one = world == 2 ? Bytes(16e6) : world <= 4 ? Bytes(1e6) : Bytes(5e5);
  if (message < one) return AllReduceTactic::one_shot;
  return world > 2 && message < Bytes(8e6) ? AllReduceTactic::two_shot : AllReduceTactic::nccl;
}

const char* tactic_name(AllReduceTactic tactic) {
  switch (tactic) {
    case AllReduceTactic::none: return "none";
    case AllReduceTactic::one_shot: return "custom_one_shot";
    case AllReduceTactic::two_shot: return "custom_two_shot";
    case AllReduceTactic::multimem: return "multimem";
    case AllReduceTactic::nccl: return "nccl";
  }
  return "";
}

bool symmetric_memory_by_default(std::int64_t vllm_major, std::int64_t vllm_minor) {
  return vllm_major > 0 || vllm_minor >= 11;
}

}  // namespace brink::plan
