#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "kernels/runner/groups.h"
#include "kernels/runner/options.h"
#include "kernels/runner/session.h"
#include "kernels/runner/supervisor.h"

#ifndef BRINK_GIT_DESCRIBE
#define BRINK_GIT_DESCRIBE "unknown"
#endif

namespace brink::kernels {
namespace {

/// NCCL's version as it numbers itself (22703 is 2.27.3); 0 where it is not installed.
int nccl_version() {
  void* library = dlopen("libnccl.so.2", RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) return 0;
  int version = 0;
  const auto get = reinterpret_cast<int (*)(int*)>(dlsym(library, "ncclGetVersion"));
  if (get == nullptr || get(&version) != 0) version = 0;
  return version;  // the library stays: a group may use it
}

void list_groups() {
  double total_s = 0;
  for (const Group& group : groups()) {
    std::printf("%-12s %4.0f s  %s\n", group.name, group.nominal_s, group.help);
    total_s += group.nominal_s;
  }
  std::printf("%-12s %4.0f s  nominal, on an H100\n", "all", total_s);
}

bool chosen(const Options& options, const Group& group) {
  return std::find(options.groups.begin(), options.groups.end(), group.name) != options.groups.end();
}

struct Run {
  Options options;
  std::vector<std::string> arguments;
  long forget_failed_bytes = 0;
};

/// Measures the chosen groups in this process.
int work(const Run& run, int heartbeat_fd, double budget_s) try {
  const Options& options = run.options;
  Ledger ledger(options.out, true, run.forget_failed_bytes);
  Session session(options.device, ledger, budget_s,
                  [heartbeat_fd](const std::string& message) { send_heartbeat(heartbeat_fd, message); });
  if (!ledger.previous_gpu().empty() && ledger.previous_gpu() != session.device().name) {
    std::fprintf(stderr, "%s was measured on %s and this is %s: name another file\n", options.out.c_str(),
                 ledger.previous_gpu().c_str(), session.device().name.c_str());
    return 2;
  }
  JsonObject header = session.header();
  header.set("nccl", nccl_version()).set("argv", run.arguments).set("git", BRINK_GIT_DESCRIBE);
  ledger.append(header.text());
  int groups_failed = 0;
  for (const Group& group : groups()) {
    if (!chosen(options, group)) continue;
    if (ledger.holds(group.name, preparation_key)) {
      std::fprintf(stderr, "%s: its preparation failed before; --retry-failed tries again\n", group.name);
      continue;
    }
    session.start_group(group.name, group_overrun * group.nominal_s);
    try {
      group.run(session);
      session.end_group();
    } catch (const DeviceFailed&) {
      throw;
    } catch (const std::exception& error) {  // outside any point: the group's own preparations
      std::fprintf(stderr, "%s: %s\n", group.name, error.what());
      JsonObject line;
      line.set("kind", "note").set("group", group.name).set("reason", error.what());
      ledger.append(line.text());
      ++groups_failed;
      // Before the group's end is told: a preparation that takes the device down must not be tried again.
      if (cudaDeviceSynchronize() != cudaSuccess) throw DeviceFailed(error.what());
      session.end_group();
    }
  }
  JsonObject end;
  end.set("kind", "end").set("measured", session.points_measured()).set("failed", session.points_failed());
  end.set("left", session.points_left());
  ledger.append(end.text());
  std::fprintf(stderr, "%d measured, %d failed, %d left for a run with --resume\n", session.points_measured(),
               session.points_failed(), session.points_left());
  return session.points_failed() + groups_failed > 0 ? exit_points_failed : 0;
} catch (const DeviceFailed& error) {
  std::fprintf(stderr, "the device failed after %s\n", error.what());
  return exit_device_failed;
} catch (const std::exception& error) {
  std::fprintf(stderr, "brink-kernels: %s\n", error.what());
  return 1;
}

void report_failed(const std::string& out, const std::string& group, const std::string& key, const std::string& why) {
  Ledger ledger(out, true);
  JsonObject line;
  ledger.append(line.set("kind", "failed").set("group", group).set("key", key).set("reason", why).text());
}

int run_all(const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const Group& group : groups()) names.emplace_back(group.name);
  Run run{parse_options({arguments.begin() + 1, arguments.end()}, names), arguments};
  const Options& options = run.options;
  if (options.help) {
    std::fputs(usage().c_str(), stdout);
    return 0;
  }
  if (options.list) {
    list_groups();
    return 0;
  }
  {
    const Ledger found(options.out, options.resume);
    if (options.retry_failed) run.forget_failed_bytes = found.bytes();
    std::fprintf(stderr, "%s: %zu points are in it\n", options.out.c_str(), found.points_found());
  }
  if (options.in_process) return work(run, -1, options.budget_s);
  SupervisorLimits limits;
  limits.budget_s = options.budget_s;
  return supervise(
      limits, [&](int heartbeat_fd, double budget_s) { return work(run, heartbeat_fd, budget_s); },
      [&](const std::string& group, const std::string& key, const std::string& why) {
        report_failed(options.out, group, key, why);
      });
}

}  // namespace
}  // namespace brink::kernels

int main(int argc, char** argv) try {
  return brink::kernels::run_all({argv, argv + argc});
} catch (const brink::kernels::UsageError& error) {
  std::fprintf(stderr, "brink-kernels: %s\n\n%s", error.what(), brink::kernels::usage().c_str());
  return 2;
} catch (const std::exception& error) {
  std::fprintf(stderr, "brink-kernels: %s\n", error.what());
  return 1;
}
