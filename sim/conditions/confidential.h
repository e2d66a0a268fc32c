// What confidential mode costs an engine on Hopper: everything between CPU and GPU is encrypted and goes through a
// bounce buffer outside the trusted memory, one copy after another. Kernels themselves run as fast as without.
#pragma once

#include <cstdint>

#include "models/base/units.h"

namespace brink::conditions {

struct ConfidentialSettings {
  /// Through the bounce buffer; 4.4 to 10 GB/s on H100 (Zhu et al., arXiv 2409.03992, and what vendors state).
  BytesPerSecond bounce{4.4e9};
  /// Fixed cost of a copy: staging and AES-GCM of a small buffer, during which the caller waits. That small copies pay
  /// a fixed toll and do not overlap is measured (arXiv 2606.23969, on Blackwell); its size on Hopper is not published.
  Seconds copy{20e-6};
  /// Mapping the bounce pages for the device and back, a copy (strict IOMMU mode). Assumed.
  Seconds dma_remap{2e-6};
  /// From a machine's start to the first work it may take: evidence, certificates, verdict. Assumed; no published figure.
  Seconds attestation{10.0};
};

/// One step's copies between CPU and GPU in vLLM V1 (v1/worker/gpu_model_runner.py, _prepare_inputs): token ids,
/// positions, slots, sequence lengths, query offsets, logits indices and whole rows of the block table go up, sampled
/// tokens come down. Every rank copies for itself, all at the same time.
struct StepCopies {
  std::int64_t sequences = 0;         // in the batch
  std::int64_t tokens = 0;            // processed, decode and prefill
  std::int64_t sampled = 0;           // tokens that come back
  std::int64_t blocks_per_sequence = 0;  // columns of the block table: max_model_len / block size

  static constexpr int to_device = 7;
  static constexpr int to_host = 1;
  [[nodiscard]] Bytes device_bytes() const;
  [[nodiscard]] Bytes host_bytes() const;
};

class ConfidentialCost {
 public:
  /// `link`: the host link's rate without confidential mode, which the calibrated step already pays.
  ConfidentialCost(const ConfidentialSettings& settings, BytesPerSecond link) : settings_(settings), link_(link) {}

  /// Added to the host's work before a step's kernels.
  [[nodiscard]] Seconds host_before(const StepCopies& copies) const;
  /// Added between the last kernel and the host knowing the sampled tokens.
  [[nodiscard]] Seconds host_after(const StepCopies& copies) const;
  /// A transfer over the host link (KV offload, weights) in confidential mode, whole.
  [[nodiscard]] Seconds transfer(Bytes bytes) const;
  /// The rate of that link for flows.
  [[nodiscard]] BytesPerSecond host_link() const;
  /// Before a replica accepts work.
  [[nodiscard]] Seconds start_up() const { return settings_.attestation; }

 private:
  [[nodiscard]] Seconds extra(int copies, Bytes bytes) const;

  ConfidentialSettings settings_;
  BytesPerSecond link_;
};

}  // namespace brink::conditions
