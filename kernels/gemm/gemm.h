#pragma once

namespace brink::kernels {

class Session;
/// What cuBLASLt chooses for every m, and how long choices and alternatives take with weights out of the L2.
void run_gemm(Session& session);
/// The map m -> bits of output row 0.
void run_gemm_bits(Session& session);

}  // namespace brink::kernels
