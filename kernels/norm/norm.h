#pragma once

namespace brink::kernels {

class Session;
void run_norm(Session& session);

}  // namespace brink::kernels
