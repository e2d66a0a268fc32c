#pragma once

namespace brink::kernels {

class Session;
void run_hbm(Session& session);

}  // namespace brink::kernels
