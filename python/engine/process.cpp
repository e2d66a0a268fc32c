#include "python/engine/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include "models/base/error.h"

namespace brink::python {
namespace {

constexpr std::size_t last_words_bytes_max = 4096;

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    std::array<int, 2> ends{};
    // Close-on-exec: a second server must not hold the first one's pipes open.
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw Error(fmt::format("cannot open a pipe to the run server: {}", std::strerror(errno)));
    }
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    for (const int end : {read, write}) {
      if (end >= 0) {
        ::close(end);
      }
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
};

void set_nonblocking(int descriptor) {
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

int release(int& descriptor) {
  return std::exchange(descriptor, -1);
}

void close_now(int& descriptor) {
  if (descriptor >= 0) {
    ::close(release(descriptor));
  }
}

class SpawnSetup {
 public:
  SpawnSetup(int in, int out, int err) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t defaults;
    ::sigemptyset(&none);
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);  // Python ignores it; the server relies on it
    ::sigaddset(&defaults, SIGINT);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

Process::Process(const std::vector<std::string>& arguments) {
  Pipe in;
  Pipe out;
  Pipe err;
  const SpawnSetup setup(in.read, out.write, err.write);
  std::vector<char*> argv;
  for (const auto& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));  // posix_spawn does not write to it
  }
  argv.push_back(nullptr);
  const int failed =
      ::posix_spawn(&pid_, argv[0], &setup.actions, &setup.attributes, argv.data(), environ);
  if (failed != 0) {
    throw Error(fmt::format("cannot start {}: {}", arguments.front(), std::strerror(failed)));
  }
  in_ = release(in.write);
  out_ = release(out.read);
  err_ = release(err.read);
  set_nonblocking(in_);
  set_nonblocking(out_);
  set_nonblocking(err_);
}

Process::~Process() {
  close_stdin();
  if (!wait_end(1000)) {
    kill_group();
  }
  close_now(out_);
  close_now(err_);
}

std::size_t Process::write_some(std::string_view bytes) {
  const ssize_t written = ::write(in_, bytes.data(), bytes.size());
  if (written >= 0) {
    return static_cast<std::size_t>(written);
  }
  if (errno == EAGAIN || errno == EINTR) {
    return 0;
  }
  throw Error(fmt::format("cannot write to the run server: {}", std::strerror(errno)));
}

bool Process::wait(int timeout_ms, bool want_write, std::string& output) {
  std::array<pollfd, 3> watched{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0},
                                pollfd{want_write ? in_ : -1, POLLOUT, 0}};
  if (::poll(watched.data(), watched.size(), timeout_ms) <= 0) {
    return true;  // nothing yet, or a signal for Python to look at
  }
  if (watched[1].revents != 0) {
    read_errors();
  }
  if (watched[0].revents == 0) {
    return true;
  }
  std::array<char, 1U << 16U> buffer{};
  const ssize_t got = ::read(out_, buffer.data(), buffer.size());
  if (got > 0) {
    output.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

void Process::read_errors() {
  std::array<char, 4096> buffer{};
  const ssize_t got = ::read(err_, buffer.data(), buffer.size());
  if (got > 0) {
    last_words_.append(buffer.data(), static_cast<std::size_t>(got));
    if (last_words_.size() > last_words_bytes_max) {
      last_words_.erase(0, last_words_.size() - last_words_bytes_max);
    }
  } else if (got == 0) {
    close_now(err_);  // poll() skips a negative descriptor
  }
}

void Process::close_stdin() { close_now(in_); }

ChildEnd Process::kill_group() {
  if (!end_) {
    ::kill(-pid_, SIGKILL);
  }
  return wait_end(-1).value();
}

std::optional<ChildEnd> Process::wait_end(int timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!end_) {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, timeout_ms < 0 ? 0 : WNOHANG);
    if (ended == pid_) {
      end_ = WIFSIGNALED(status) ? ChildEnd{0, WTERMSIG(status)} : ChildEnd{WEXITSTATUS(status), 0};
    } else if (ended < 0 && errno != EINTR) {
      end_ = ChildEnd{};  // collected by someone else (a process that reaps all children)
    } else if (ended == 0) {
      if (std::chrono::steady_clock::now() >= deadline) {
        return std::nullopt;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  if (err_ >= 0) {
    read_errors();
  }
  return end_;
}

}  // namespace brink::python
