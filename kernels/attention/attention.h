#pragma once

namespace brink::kernels {

class Session;
/// Decode attention by batch, context, splits, scatter of blocks and L2 state; its bits by splits; prefill attention.
void run_attention(Session& session);

}  // namespace brink::kernels
