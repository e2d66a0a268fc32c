// One `brink-sim --serve` process and the conversation with it. Knows no Python: what to do
// while waiting is a callback.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>

#include "models/base/error.h"
#include "python/engine/process.h"

namespace brink::python {

/// The server's 'E' answer as JSON text ({"kind", "message", ...}), or the same made up here
/// when the server itself died.
class RunFailed : public Error {
 public:
  using Error::Error;
};

struct RunAnswer {
  std::map<std::string, std::string> files;
  std::string done;  // JSON
};

struct RunCallbacks {
  std::function<void(const std::string& json)> progress;  // may throw: the run is then cancelled
  std::function<void()> poll;                             // every 0.1 s; may throw: the same
};

class RunServer {
 public:
  /// Starts the server. Throws brink::Error when the executable cannot be started.
  explicit RunServer(std::string executable);

  /// One run; not to be called from two threads at once. Throws RunFailed, or what a callback
  /// threw after the run has ended.
  RunAnswer run(const std::string& request, const RunCallbacks& callbacks);

  /// Ends the run in progress within about 2 s; from any thread.
  void cancel() { cancelled_ = true; }
  /// False once the server has died or was killed: it takes no more runs.
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] int pid() const { return process_.pid(); }

 private:
  struct Conversation;
  void send(Conversation& talk, const RunCallbacks& callbacks);
  void check(const RunCallbacks& callbacks);
  bool take_frames(Conversation& talk, const RunCallbacks& callbacks);
  bool receive(Conversation& talk, bool want_write);
  void stop_run(Conversation& talk);
  [[noreturn]] void report_death();

  std::string executable_;
  Process process_;
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> alive_ = true;
};

}  // namespace brink::python
