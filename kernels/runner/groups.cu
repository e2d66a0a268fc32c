#include "kernels/runner/groups.h"

#include "kernels/attention/attention.h"
#include "kernels/collective/collective.h"
#include "kernels/decode_step/decode_step.h"
#include "kernels/gemm/gemm.h"
#include "kernels/hbm/hbm.h"
#include "kernels/host_link/host_link.h"
#include "kernels/l2/l2.h"
#include "kernels/launch/launch.h"
#include "kernels/norm/norm.h"
#include "kernels/overlap/overlap.h"
#include "kernels/tlb/tlb.h"

namespace brink::kernels {

const std::vector<Group>& groups() {
  // Cheap and basic first: a run that is cut short still has the curves everything rests on.
  static const std::vector<Group> table = {
      {"launch", run_launch, "kernel, graph launch and per-node graph replay costs; floor of an event pair", 8},
      {"hbm", run_hbm, "read, write, copy, triad by size; strided and paged-block gather by block and scatter", 40},
      {"l2", run_l2, "bandwidth and latency by working set; near and far slice from each SM", 20},
      {"norm", run_norm, "RMSNorm with blocks of 1024 and 256 threads: time and bit class by tokens", 12},
      {"host_link", run_host_link, "page-locked copies to, from and both ways by size and block", 15},
      {"tlb", run_tlb, "pointer chase over growing reach and page stride; 1, 8 and 32 lanes a warp", 35},
      {"overlap", run_overlap, "decode-like reads beside a copy engine; clocks and power under matrix products", 45},
      {"gemm_bits", run_gemm_bits, "bits of output row 0 for every m up to 512, by shape and workspace", 45},
      {"gemm", run_gemm, "cuBLASLt's choice for every m up to 512; times of choices and alternatives", 90},
      {"attention", run_attention, "paged decode by batch, context, splits, scatter and L2; its bits; prefill", 45},
      {"decode_step", run_decode_step, "a whole model: replayed trace, step times, logit bits by batch size", 80},
      {"collective", run_collective, "NCCL all-reduce over the GPUs there are", 15},
  };
  return table;
}

}  // namespace brink::kernels
