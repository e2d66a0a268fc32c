#pragma once

namespace brink::kernels {

class Session;
/// NCCL all-reduce over all GPUs of the machine by message size; says why it is skipped where it cannot run.
void run_collective(Session& session);

}  // namespace brink::kernels
