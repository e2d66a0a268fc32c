// Identities of an all-reduce: which kernel, which order of summation, and what it costs against the curves.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "models/base/error.h"
#include "models/plan/all_reduce.h"

namespace brink::plan {
namespace {

constexpr std::uint64_t kSalt = 0x616c6c72;

enum class Order : std::uint64_t { pair, rank, trtllm_rank, owner, in_switch, ring, tree, one_tree, nvls_tree, kept };

ReductionSig order_sig(Order order, std::uint64_t detail = 0) {
  return signature_hash(signature_hash(kSalt, static_cast<std::uint64_t>(order)), detail);
}

fabric::RankLayout node_of(const AllReduceOptions& options) { return {1, options.setting.world}; }

fabric::NcclSetting nccl_setting(bool nvls) {
  fabric::NcclSetting setting;
  setting.nvls = nvls;
  return setting;
}

NcclChoice nccl_choice(Bytes message, const AllReduceOptions& options, bool nvls) {
  return choose_nccl_all_reduce(message, node_of(options), nccl_setting(nvls));
}

// Multimem over NCCL at one size, rounded from benchmarks of vLLM's communicators on H100 (vllm pulls 24532 and
// 42324): four ranks 0.7..0.85; eight 0.5 up to 4 MiB, meeting NCCL at 64 MiB.
double multimem_over_nccl(Bytes message, std::int64_t world) {
  if (world <= 4) return 0.8;
  return std::clamp(0.5 + 0.125 * std::log2(message / mib(4)), 0.5, 1.0);
}

std::uint64_t whole(Bytes message) { return static_cast<std::uint64_t>(message.value()); }

// Two-shot hands each rank size / 16 B / ranks packs (custom_all_reduce.cuh).
std::uint64_t part_of(Bytes message, std::int64_t world) { return whole(message) / 16 / static_cast<std::uint64_t>(world); }

ReductionSig order_of(const AllReducePlan& plan, Bytes message, const AllReduceOptions& options) {
  // a + b = b + a: every kernel gives two ranks the same bits.
  if (options.setting.world == 2) return order_sig(Order::pair);
  const bool trtllm = options.engine == AllReduceEngine::trtllm;
  switch (plan.tactic) {
    case AllReduceTactic::none: return 0;
    case AllReduceTactic::one_shot: return order_sig(trtllm ? Order::trtllm_rank : Order::rank);
    case AllReduceTactic::two_shot:
      // TensorRT-LLM starts every part at rank 0 (customAllReduceKernels.cu).
      if (trtllm) return order_sig(Order::trtllm_rank);
      if (options.rank_order_two_shot) return order_sig(Order::rank);
      return order_sig(Order::owner, part_of(message, options.setting.world));
    case AllReduceTactic::multimem: return order_sig(Order::in_switch);
    case AllReduceTactic::nccl: return nccl_order(*plan.nccl, message);
  }
  return 0;
}

// NCCL's own pick, and what running without the switches' reduction costs against it.
void run_nccl(AllReducePlan& plan, Bytes message, const AllReduceOptions& options, bool nvls) {
  const NcclChoice usual = nccl_choice(message, options, options.nvls);
  plan.nccl = nccl_choice(message, options, nvls);
  plan.table = AllReduceTable::nccl;
  plan.choice.relative_time = plan.nccl->estimate / usual.estimate;
  if (usual.algorithm != plan.nccl->algorithm) plan.choice.fallback = Fallback::nvls_buffers;
}

AllReduceTactic usual_tactic(Bytes message, const AllReduceOptions& options) {
  return options.engine == AllReduceEngine::vllm ? choose_all_reduce(message, options.setting)
                                                 : choose_trtllm_all_reduce(message, options.setting);
}

// One order for every size. The custom kernels' buffers are then sized for the largest message (vllm pull 50505).
void run_invariant(AllReducePlan& plan, Bytes message, const AllReduceOptions& options) {
  const AllReduceTactic usual = plan.tactic;
  if (options.rank_order_two_shot) {
    AllReduceSetting setting = options.setting;
    setting.symmetric_memory = false;
    // Its kernel for a message that is sure to be aligned and to fit.
    const AllReduceTactic small = choose_all_reduce(Bytes(16.0), setting);
    const bool one = choose_all_reduce(std::min(message, mib(4)), setting) == AllReduceTactic::one_shot;
    plan.tactic = small == AllReduceTactic::nccl ? small : one ? AllReduceTactic::one_shot : AllReduceTactic::two_shot;
  } else {
    plan.tactic = AllReduceTactic::nccl;
  }
  if (plan.tactic != usual) plan.choice.fallback = Fallback::batch_invariant;
  if (plan.tactic != AllReduceTactic::nccl) return;
  plan.choice.fallback = Fallback::batch_invariant;
  plan.nccl = nccl_one_channel_tree(message, node_of(options), nccl_setting(false));
  plan.table = AllReduceTable::nccl;
  plan.choice.relative_time = plan.nccl->estimate / nccl_choice(message, options, options.nvls).estimate;
}

std::string name_of(const AllReducePlan& plan, const AllReduceOptions& options) {
  if (plan.nccl) return fmt::format("nccl/{}{}", tactic_name(*plan.nccl), plan.nccl->channels == 1 ? "/1ch" : "");
  if (options.engine == AllReduceEngine::vllm || plan.tactic == AllReduceTactic::none) return tactic_name(plan.tactic);
  return plan.tactic == AllReduceTactic::one_shot ? "trtllm_one_shot" : "trtllm_two_shot";
}

}  // namespace

ReductionSig nccl_order(const NcclChoice& choice, Bytes message) {
  const auto detail = signature_hash(static_cast<std::uint64_t>(choice.protocol), whole(message));
  switch (choice.algorithm) {
    case NcclAlgorithm::ring: return order_sig(Order::ring, detail);  // the first rank of a chunk goes by its place
    case NcclAlgorithm::tree:  // channels alternate between two trees; one channel has one
      return choice.channels == 1 ? order_sig(Order::one_tree) : order_sig(Order::tree, detail);
    case NcclAlgorithm::nvls: return order_sig(Order::in_switch);
    case NcclAlgorithm::nvls_tree: return order_sig(Order::nvls_tree, detail);
    default: return 0;  // NCCL reduces by no other
  }
  return 0;
}

ReductionSig kept_order() { return order_sig(Order::kept); }

AllReducePlan plan_all_reduce(Bytes message, const AllReduceOptions& options, TacticNames& names) {
  AllReducePlan plan;
  plan.tactic = usual_tactic(message, options);
  const bool multicast = options.nvls && options.nvls_buffers;
  if (plan.tactic == AllReduceTactic::none) {
    plan.choice.tactic_id = names.intern(name_of(plan, options));
    return plan;
  }
  plan.table = AllReduceTable::custom;
  if (options.batch_invariant) {
    run_invariant(plan, message, options);
  } else if (plan.tactic == AllReduceTactic::multimem && multicast) {
    plan.table = AllReduceTable::nccl;
    plan.choice.relative_time = multimem_over_nccl(message, options.setting.world);
  } else if (plan.tactic == AllReduceTactic::multimem) {
    // Without a multicast address torch's communicator stays off, the custom kernel's lower limit stands.
    plan.tactic = AllReduceTactic::nccl;
    run_nccl(plan, message, options, false);
    plan.choice.fallback = Fallback::nvls_buffers;
  } else if (plan.tactic == AllReduceTactic::nccl) {
    run_nccl(plan, message, options, multicast);
  }
  plan.choice.tactic_id = names.intern(name_of(plan, options));
  plan.choice.reduction_sig = options.collectives_keep_order ? kept_order() : order_of(plan, message, options);
  return plan;
}

void require_nvls_buffers(const AllReduceOptions& options, const std::string& pointer) {
  const bool stops = options.nccl.major > 2 || options.nccl.minor >= 29;
  if (!options.nvls || options.nvls_buffers || !stops) return;
  throw ConfigError(pointer, fmt::format("NCCL {}.{} without multicast buffers", options.nccl.major, options.nccl.minor),
                    "2.28 or lower, which goes on without NVLS, or buffers that can be allocated");
}

}  // namespace brink::plan
