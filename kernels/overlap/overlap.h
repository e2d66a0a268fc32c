#pragma once

namespace brink::kernels {

class Session;
void run_overlap(Session& session);

}  // namespace brink::kernels
