#include "sim/app/terminal_progress.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include <fmt/format.h>

namespace brink::app {

namespace {

constexpr int bar_width = 30;

std::string bar(double share) {
  const auto filled = static_cast<std::size_t>(share * bar_width);
  return "[" + std::string(filled, '#') + std::string(bar_width - filled, ' ') + "]";
}

}  // namespace

TerminalProgress::TerminalProgress() : terminal_(::isatty(STDERR_FILENO) == 1) {
  sink_.report = [this](const scenario::Progress& progress) { show(progress); };
}

TerminalProgress::~TerminalProgress() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

void TerminalProgress::show(const scenario::Progress& progress) {
  std::string line = "\r\x1b[K";
  if (progress.total && *progress.total > 0) {
    line += bar(static_cast<double>(progress.finished) / static_cast<double>(*progress.total)) + " ";
  }
  line += fmt::format("{} requests, {:.0f} s simulated, {:.1f} s", progress.finished, progress.sim_time.value(), progress.wall.value());
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  shown_ = true;
}

}  // namespace brink::app
