// A progress line for a person at a terminal.
#pragma once

#include "sim/scenario/progress.h"

namespace brink::app {

/// Rewrites one line of standard error; nothing at all when that is no terminal. The line is
/// wiped when the object ends.
class TerminalProgress {
 public:
  TerminalProgress();
  ~TerminalProgress();
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;

  /// Null when nobody watches.
  [[nodiscard]] const scenario::ProgressSink* sink() const { return terminal_ ? &sink_ : nullptr; }

 private:
  void show(const scenario::Progress& progress);

  bool terminal_;
  bool shown_ = false;
  scenario::ProgressSink sink_;
};

}  // namespace brink::app
