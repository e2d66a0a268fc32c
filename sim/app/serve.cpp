#include "sim/app/serve.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "models/base/error.h"
#include "sim/app/failure.h"
#include "sim/app/frames.h"
#include "sim/app/run_child.h"

namespace brink::app {

namespace {

constexpr std::uint64_t request_bytes_max = std::uint64_t{64} << 20U;
constexpr std::size_t last_words_max = 4096;
constexpr std::size_t waiting_requests_max = 4;  // further ones stay in the pipe
constexpr std::size_t backlog_max = std::size_t{1} << 20U;

[[noreturn]] void fail(const char* what) { throw Error(fmt::format("{}: {}", what, std::strerror(errno))); }

class Server {
 public:
  Server(int in, int out) : in_(in), out_(out) {}
  int run();

 private:
  struct Child {
    pid_t pid = -1;
    int frames = -1, words = -1;  // read ends: its frames, its error output
    FrameParser parser{std::numeric_limits<std::uint64_t>::max()};
    std::string last_words;
    std::string answer;           // its 'D' or 'E' frame, held back until it has ended
    bool killed = false;
  };

  void step();
  void start(const std::string& payload);
  void read_requests();
  void handle(Frame frame);
  void read_frames();
  void read_words();
  void end_child();
  void send(std::string bytes) { backlog_ += bytes; }
  void send_some();
  void kill_child();
  [[nodiscard]] std::string death(int status) const;

  int in_, out_;
  bool in_open_ = true;
  FrameParser requests_{request_bytes_max};
  std::optional<Child> child_;
  std::string backlog_;     // bytes for the client
  std::size_t sent_ = 0;    // of them, already written
};

int Server::run() {
  while (in_open_) step();
  kill_child();
  return 0;
}

void Server::step() {
  // A client that reads slowly slows its run down; the server keeps little of it in memory.
  const bool child_open = child_ && child_->frames >= 0;
  const bool room = backlog_.size() - sent_ < backlog_max;
  std::array<pollfd, 4> watched = {pollfd{requests_.waiting() < waiting_requests_max ? in_ : -1, POLLIN, 0},
                                   pollfd{child_open && room ? child_->frames : -1, POLLIN, 0},
                                   pollfd{child_ && child_->words >= 0 ? child_->words : -1, POLLIN, 0},
                                   pollfd{sent_ < backlog_.size() ? out_ : -1, POLLOUT, 0}};
  if (::poll(watched.data(), watched.size(), -1) < 0) {
    if (errno == EINTR) return;
    fail("poll");
  }
  if (watched[2].revents != 0) read_words();
  if (watched[1].revents != 0) read_frames();
  if (watched[0].revents != 0) read_requests();
  if (watched[3].revents != 0) send_some();
  if (child_ && child_->frames < 0 && child_->words < 0) end_child();
  while (!child_ && !requests_.empty()) handle(requests_.take());
  // A kill concerns the run in progress: it does not wait behind later requests.
  if (child_ && requests_.take_all('K') > 0) {
    child_->killed = true;
    ::kill(child_->pid, SIGKILL);
  }
}

void Server::read_requests() {
  std::array<char, 65536> bytes;
  const ssize_t n = ::read(in_, bytes.data(), bytes.size());
  if (n < 0 && errno == EINTR) return;
  if (n <= 0) {
    in_open_ = false;
    return;
  }
  requests_.add(std::string_view(bytes.data(), static_cast<std::size_t>(n)));
}

void Server::handle(Frame frame) {
  if (frame.too_long) {
    const std::string got = fmt::format("a frame of {} bytes", frame.length);
    send(encode_frame('E', failure_of(ConfigError("", got, fmt::format("at most {} bytes", request_bytes_max), "run request")).dump()));
  } else if (frame.type == 'R') {
    start(frame.payload);
  } else if (frame.type != 'K') {
    const std::string got = fmt::format("a frame of type {}", static_cast<int>(static_cast<unsigned char>(frame.type)));
    send(encode_frame('E', failure_of(ConfigError("", got, "allowed: 'R' or 'K'", "run request")).dump()));
  }
}

void Server::start(const std::string& payload) {
  std::array<int, 2> frames{}, words{};
  if (::pipe2(frames.data(), O_CLOEXEC) != 0) fail("pipe");
  if (::pipe2(words.data(), O_CLOEXEC) != 0) fail("pipe");
  const pid_t server = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    // A child never outlives its server, even one that died between fork and here.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != server) ::_exit(1);
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(words[1], STDOUT_FILENO);  // whatever a library prints must not end up among the frames
    ::dup2(words[1], STDERR_FILENO);
    ::close(frames[0]);
    ::_exit(run_child(payload, frames[1]));
  }
  ::close(frames[1]);
  ::close(words[1]);
  child_.emplace();
  child_->pid = pid;
  child_->frames = frames[0];
  child_->words = words[0];
}

void Server::read_frames() {
  std::array<char, 65536> bytes;
  const ssize_t n = ::read(child_->frames, bytes.data(), bytes.size());
  if (n < 0 && errno == EINTR) return;
  if (n <= 0) {
    ::close(child_->frames);
    child_->frames = -1;
    return;
  }
  child_->parser.add(std::string_view(bytes.data(), static_cast<std::size_t>(n)));
  while (!child_->parser.empty()) {
    const Frame frame = child_->parser.take();
    std::string bytes_of = encode_frame(frame.type, frame.payload);
    if (frame.type == 'D' || frame.type == 'E') child_->answer = std::move(bytes_of);
    else if (!child_->killed) send(std::move(bytes_of));
  }
}

void Server::read_words() {
  std::array<char, 4096> bytes;
  const ssize_t n = ::read(child_->words, bytes.data(), bytes.size());
  if (n < 0 && errno == EINTR) return;
  if (n <= 0) {
    ::close(child_->words);
    child_->words = -1;
    return;
  }
  std::string& words = child_->last_words;
  words.append(bytes.data(), static_cast<std::size_t>(n));
  if (words.size() > last_words_max) words.erase(0, words.size() - last_words_max);
}

std::string Server::death(int status) const {
  const bool by_signal = WIFSIGNALED(status);
  const std::string how = by_signal ? fmt::format("was ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)))
                                    : fmt::format("ended with status {} and no answer", WEXITSTATUS(status));
  Json out = failure("died", "the simulation " + how);
  if (by_signal) out.set("signal", WTERMSIG(status));
  out.set("last_words", child_->last_words);
  return encode_frame('E', out.dump());
}

void Server::end_child() {
  int status = 0;
  while (::waitpid(child_->pid, &status, 0) < 0 && errno == EINTR) {
  }
  // A run that had ended before the kill reached it is a finished run.
  if (!child_->answer.empty()) send(std::move(child_->answer));
  else if (child_->killed) send(encode_frame('E', failure("cancelled", "the run was cancelled").dump()));
  else send(death(status));
  child_.reset();
}

void Server::send_some() {
  // poll() promises room for PIPE_BUF bytes in a pipe, so this never blocks.
  const std::size_t size = std::min<std::size_t>(PIPE_BUF, backlog_.size() - sent_);
  const ssize_t n = ::write(out_, backlog_.data() + sent_, size);
  if (n < 0 && errno == EINTR) return;
  if (n < 0) {
    in_open_ = false;  // nobody listens any more
    return;
  }
  sent_ += static_cast<std::size_t>(n);
  if (sent_ == backlog_.size()) {
    backlog_.clear();
    sent_ = 0;
  }
}

void Server::kill_child() {
  if (!child_) return;
  ::kill(child_->pid, SIGKILL);
  while (::waitpid(child_->pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  child_.reset();
}

}  // namespace

int serve(int in, int out) {
  // Ctrl-C in a terminal goes to the whole group; what to do about it is the client's decision.
  // Blocked, not only ignored: SimGrid sets a handler of its own in the child.
  sigset_t interrupt;
  ::sigemptyset(&interrupt);
  ::sigaddset(&interrupt, SIGINT);
  ::sigprocmask(SIG_BLOCK, &interrupt, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return Server(in, out).run();
}

}  // namespace brink::app
