#pragma once

namespace brink::kernels {

class Session;
/// Steps of a whole transformer: times by batch, context and chunk; a replayed trace; bits of logits by batch size.
void run_decode_step(Session& session);

}  // namespace brink::kernels
