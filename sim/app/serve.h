// The run server, `brink-sim --serve`: requests come in on one descriptor as frames, answers go
// out on another. Each run is a forked child, so that a crash or a kill costs one run and SimGrid
// gets a process of its own.
#pragma once

namespace brink::app {

/// Serves until `in` ends (the running child is then killed) and returns the exit status.
/// Single-threaded; frames in: 'R' run, 'K' kill the running child; out: 'P' progress, 'F' file,
/// 'D' done, 'E' failed.
int serve(int in, int out);

}  // namespace brink::app
