#pragma once

namespace brink::kernels {

class Session;
void run_tlb(Session& session);

}  // namespace brink::kernels
