#pragma once

namespace brink::kernels {

class Session;
void run_l2(Session& session);

}  // namespace brink::kernels
