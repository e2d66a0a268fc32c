#include "sim/app/run_child.h"

#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "sim/app/failure.h"
#include "sim/app/frames.h"
#include "sim/app/run_request.h"
#include "sim/scenario/simulation.h"

namespace brink::app {

namespace {

void write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw Error("the run server no longer listens");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

Json progress_json(const scenario::Progress& progress) {
  Json out = Json::object();
  out.set("sim_time_s", progress.sim_time.value());
  out.set("finished", progress.finished);
  out.set("total", progress.total ? Json(*progress.total) : Json());
  out.set("wall_s", progress.wall.value());
  return out;
}

void simulate(const std::string& payload, int fd) {
  const RunRequest request = read_run_request(payload);
  if (request.out) check_result_folder(*request.out);
  const scenario::Scenario scenario =
      scenario::read_scenario(request.scenario, request.base_dir, request.settings, request.seed, request.name);
  const scenario::ProgressSink sink{
      [fd](const scenario::Progress& p) { write_whole(fd, encode_frame('P', progress_json(p).dump())); },
      request.progress_interval};
  const scenario::RunOutcome outcome = scenario::run_scenario(scenario, &sink);
  if (request.out) telemetry::write_results(*request.out, outcome.files);
  if (request.files) {
    for (const telemetry::ResultFile& file : outcome.files) write_whole(fd, encode_file_frame(file.name, file.content));
  }
  Json done = Json::object();
  done.set("ok", true);
  done.set("out", request.out ? Json(*request.out) : Json());
  write_whole(fd, encode_frame('D', done.dump()));
}

}  // namespace

int run_child(const std::string& payload, int fd) noexcept {
  try {
    try {
      simulate(payload, fd);
    } catch (const std::exception& error) {
      write_whole(fd, encode_frame('E', failure_of(error).dump()));
    }
    return 0;
  } catch (...) {
    return 1;  // the server reports what it sees: a run that ended without an answer
  }
}

}  // namespace brink::app
