#pragma once

namespace brink::kernels {

class Session;
void run_launch(Session& session);

}  // namespace brink::kernels
