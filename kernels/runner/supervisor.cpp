#include "kernels/runner/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace brink::kernels {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Child {
  pid_t pid = -1;
  int messages = -1;
};

/// How one child ended.
struct Ending {
  int status = 0;
  std::string group;  // of the point it was in; empty between points
  std::string key;
  std::string killed_for;  // empty if it ended by itself
  bool spoke = false;      // it finished or began at least one point
};

Child start(const Worker& worker, double budget_s) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a parent killed at its time limit leaves nobody on the GPU
    if (getppid() != parent) _exit(1);
    signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    const int status = worker(ends[1], budget_s);
    std::fflush(nullptr);
    _exit(status);
  }
  close(ends[1]);
  return {pid, ends[0]};
}

void read_message(const std::string& line, Ending& ending) {
  ending.spoke = true;
  if (line.rfind("b\t", 0) == 0) {
    const std::size_t tab = line.find('\t', 2);
    ending.group = line.substr(2, tab - 2);
    ending.key = tab == std::string::npos ? "" : line.substr(tab + 1);
  } else if (line == "e") {
    ending.group.clear();
    ending.key.clear();
  }
}

/// Listens until the child closes its end, is silent too long or passes the deadline.
Ending listen(const Child& child, const SupervisorLimits& limits, Clock::time_point run_start) {
  Ending ending;
  std::string pending;
  for (;;) {
    const double left_s = limits.budget_s + limits.grace_s - seconds_since(run_start);
    const double wait_s = std::max(0.0, std::min(limits.silence_s, left_s));
    pollfd waiting{child.messages, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(wait_s * 1e3));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      ending.killed_for = left_s <= limits.silence_s ? "it ran past the end of the budget" : "no sign of life";
      kill(child.pid, SIGKILL);
      break;
    }
    char buffer[4096];
    const ssize_t size = read(child.messages, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    pending.append(buffer, static_cast<std::size_t>(size));
    for (std::size_t end; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      read_message(pending.substr(0, end), ending);
    }
  }
  close(child.messages);
  while (waitpid(child.pid, &ending.status, 0) < 0 && errno == EINTR) {
  }
  return ending;
}

std::string why(const Ending& ending) {
  if (!ending.killed_for.empty()) return "the process was stopped: " + ending.killed_for;
  if (WIFSIGNALED(ending.status)) return std::string("the process died: ") + strsignal(WTERMSIG(ending.status));
  return "the process left with status " + std::to_string(WEXITSTATUS(ending.status));
}

}  // namespace

int supervise(const SupervisorLimits& limits, const Worker& worker, const ReportFailed& report) {
  const Clock::time_point start_time = Clock::now();
  int silent_endings = 0;  // children that broke outside any point: starting again may not help
  for (int restarts = 0;; ++restarts) {
    const Child child = start(worker, std::max(0.0, limits.budget_s - seconds_since(start_time)));
    const Ending ending = listen(child, limits, start_time);
    const bool exited = ending.killed_for.empty() && WIFEXITED(ending.status);
    if (exited && WEXITSTATUS(ending.status) != exit_device_failed) {
      const int status = WEXITSTATUS(ending.status);
      return status == 0 && restarts > 0 ? exit_points_failed : status;
    }
    if (!ending.group.empty()) report(ending.group, ending.key, why(ending));
    silent_endings = ending.spoke ? 0 : silent_endings + 1;
    const bool time_left = seconds_since(start_time) < limits.budget_s;
    if (!time_left || restarts >= limits.restarts_max || silent_endings >= 2) {
      std::fprintf(stderr, "giving up: %s\n", why(ending).c_str());
      return 1;
    }
    std::fprintf(stderr, "starting again: %s\n", why(ending).c_str());
  }
}

std::string heartbeat_begin(const std::string& group, const std::string& key) { return "b\t" + group + "\t" + key; }
std::string heartbeat_end() { return "e"; }

void send_heartbeat(int fd, const std::string& message) {
  if (fd < 0) return;
  const std::string line = message + "\n";
  const ssize_t written = write(fd, line.data(), line.size());
  static_cast<void>(written);  // with the parent gone there is nobody to tell
}

}  // namespace brink::kernels
