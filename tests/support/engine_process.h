// Talks to `brink-sim --serve` as a client does, and runs the other commands.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "sim/app/frames.h"

namespace brink::test {

inline const std::string engine = std::string(BRINK_BINARY_DIR) + "/brink-sim";

/// Output (both streams) and exit status of a command.
struct CommandResult {
  std::string text;
  int status = -1;
};

inline CommandResult run_command(const std::string& arguments) {
  CommandResult out;
  FILE* pipe = ::popen((engine + " " + arguments + " 2>&1 < /dev/null").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen failed");
  std::array<char, 4096> bytes;
  while (const std::size_t n = std::fread(bytes.data(), 1, bytes.size(), pipe)) out.text.append(bytes.data(), n);
  const int status = ::pclose(pipe);
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return out;
}

inline std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// What one run answered.
struct Answer {
  char type = 0;   // 'D' or 'E'
  Json json;       // of that frame
  std::map<std::string, std::string> files;
  int progress_frames = 0;
};

class RunServerProcess {
 public:
  RunServerProcess() {
    // Close-on-exec: a second server must not hold this one's stdin open.
    std::array<int, 2> to{}, from{};
    if (::pipe2(to.data(), O_CLOEXEC) != 0 || ::pipe2(from.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(to[0], STDIN_FILENO);
      ::dup2(from[1], STDOUT_FILENO);
      ::execl(engine.c_str(), engine.c_str(), "--serve", nullptr);
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    in_ = to[1];
    out_ = from[0];
    ::signal(SIGPIPE, SIG_IGN);
  }
  ~RunServerProcess() {
    if (pid_ > 0) (void)end();
    ::close(out_);
  }
  RunServerProcess(const RunServerProcess&) = delete;
  RunServerProcess& operator=(const RunServerProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

  void send(std::string bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::write(in_, bytes.data(), bytes.size());
      if (n <= 0) throw std::runtime_error("the server closed its input");
      bytes.erase(0, static_cast<std::size_t>(n));
    }
  }
  void ask(const Json& request) const { send(app::encode_frame('R', request.dump())); }

  /// Waits for the next frame; throws after 60 s.
  app::Frame next() {
    while (parser_.empty()) {
      pollfd watched{out_, POLLIN, 0};
      if (::poll(&watched, 1, 60'000) <= 0) throw std::runtime_error("no frame within 60 s");
      std::array<char, 65536> bytes;
      const ssize_t n = ::read(out_, bytes.data(), bytes.size());
      if (n <= 0) throw std::runtime_error("the server ended");
      parser_.add(std::string_view(bytes.data(), static_cast<std::size_t>(n)));
    }
    return parser_.take();
  }

  Answer answer() {
    Answer out;
    for (;;) {
      const app::Frame frame = next();
      if (frame.type == 'P') {
        ++out.progress_frames;
        (void)parse_json(frame.payload);
      } else if (frame.type == 'F') {
        const std::size_t name = static_cast<unsigned char>(frame.payload.at(0));  // names are short
        out.files[frame.payload.substr(4, name)] = frame.payload.substr(4 + name);
      } else {
        out.type = frame.type;
        out.json = parse_json(frame.payload);
        return out;
      }
    }
  }
  Answer run(const Json& request) {
    ask(request);
    return answer();
  }

  /// The simulation in progress, or 0.
  [[nodiscard]] pid_t child() const {
    const std::string path = "/proc/" + std::to_string(pid_) + "/task/" + std::to_string(pid_) + "/children";
    const std::string text = read_text(path);
    return text.empty() ? 0 : std::stoi(text);
  }
  [[nodiscard]] pid_t wait_for_child() const {
    for (int i = 0; i < 5000; ++i) {
      if (const pid_t found = child(); found != 0) return found;
      ::usleep(1000);
    }
    throw std::runtime_error("no run was started");
  }

  /// Closes the server's input and returns its exit status.
  int end() {
    ::close(in_);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  app::FrameParser parser_{std::uint64_t{1} << 32U};
};

}  // namespace brink::test
