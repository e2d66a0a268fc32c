#pragma once

#include <functional>
#include <string>

namespace brink::kernels {

/// Exit status of a worker whose device failed: it is started again and goes on after that point.
inline constexpr int exit_device_failed = 3;
/// Exit status of a run in which a point failed.
inline constexpr int exit_points_failed = 4;

struct SupervisorLimits {
  double budget_s = 500;
  double grace_s = 45;     ///< past the budget before a worker is killed: no point may take longer
  double silence_s = 120;  ///< without a heartbeat before a worker counts as hung
  int restarts_max = 20;
};

/// What a worker is given: the pipe for its heartbeats and the seconds that are left.
using Worker = std::function<int(int heartbeat_fd, double budget_s)>;
/// Called for a point that took its worker down.
using ReportFailed = std::function<void(const std::string& group, const std::string& key, const std::string& why)>;

/// Runs `worker` in a child process, so that a crash or a hang costs one point and not the run:
/// the parent reports the point, starts the next child and never touches the GPU itself.
/// Returns the exit status for the whole run: that of the last worker, or exit_points_failed if it
/// succeeded where another one had broken.
int supervise(const SupervisorLimits& limits, const Worker& worker, const ReportFailed& report);

/// The key of what a group does outside its points. A worker that dies there loses the group.
inline constexpr const char* preparation_key = "preparation";

// Heartbeat messages, one line each.
std::string heartbeat_begin(const std::string& group, const std::string& key);
std::string heartbeat_end();
/// Writes one message; a parent that is gone is ignored.
void send_heartbeat(int fd, const std::string& message);

}  // namespace brink::kernels
