#pragma once

namespace brink::kernels {

class Session;
void run_host_link(Session& session);

}  // namespace brink::kernels
