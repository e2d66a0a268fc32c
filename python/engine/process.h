// A child process with pipes to its stdin, stdout and stderr, started by posix_spawn: forking
// a threaded Python process could leave locks held in the child.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brink::python {

/// How a child ended: by exit status or by signal (0: none).
struct ChildEnd {
  int exit_status = 0;
  int signal = 0;
};

class Process {
 public:
  /// Starts `arguments[0]` in a process group of its own, so that a terminal's Ctrl-C reaches
  /// Python alone, which then decides. Throws brink::Error when it cannot be started.
  explicit Process(const std::vector<std::string>& arguments);
  ~Process();  // closes stdin, then kills what does not leave within a second
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Writes as much as the pipe takes now; returns the bytes written. Throws once the reader is gone.
  std::size_t write_some(std::string_view bytes);
  /// Waits up to `timeout_ms` for output (and, with `want_write`, for room in stdin), reads it,
  /// and returns false once stdout has ended. Error output is kept for last_words().
  bool wait(int timeout_ms, bool want_write, std::string& output);

  /// The last lines of error output, at most 4 KiB.
  [[nodiscard]] const std::string& last_words() const { return last_words_; }

  void close_stdin();
  /// SIGKILL to the whole group, and collect the child.
  ChildEnd kill_group();
  /// Waits up to `timeout_ms` for the end.
  std::optional<ChildEnd> wait_end(int timeout_ms);

 private:
  void read_errors();

  pid_t pid_ = -1;
  int in_ = -1, out_ = -1, err_ = -1;
  std::optional<ChildEnd> end_;
  std::string last_words_;
};

}  // namespace brink::python
