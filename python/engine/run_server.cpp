#include "python/engine/run_server.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <utility>

#include "models/base/json.h"
#include "python/engine/frames.h"

namespace brink::python {
namespace {

constexpr int poll_interval_ms = 100;  // how soon Ctrl-C is noticed
/// cancel() was called.
struct Cancelled {};

constexpr int kill_grace_ms = 2000;    // what the server gets to end its child before it is killed

std::string failure(const char* kind, const std::string& message, int signal, const std::string& last_words) {
  Json json = Json::object();
  json.set("kind", kind);
  json.set("message", message);
  if (signal != 0) {
    json.set("signal", signal);
  }
  json.set("last_words", last_words);
  return json.dump();
}

}  // namespace

struct RunServer::Conversation {
  std::string request;
  bool sent = false;
  FrameReader reader;
  RunAnswer answer;
  std::string failed;  // payload of the 'E' frame
};

RunServer::RunServer(std::string executable)
    : executable_(std::move(executable)), process_({executable_, "--serve"}) {}

RunAnswer RunServer::run(const std::string& request, const RunCallbacks& callbacks) {
  if (!alive_) {
    throw RunFailed(failure("died", "this run server has ended; start another", 0, process_.last_words()));
  }
  cancelled_ = false;
  Conversation talk;
  talk.request = encode_frame('R', request);
  try {
    send(talk, callbacks);
    while (!take_frames(talk, callbacks)) {
      if (!receive(talk, false)) {
        report_death();
      }
      check(callbacks);
    }
  } catch (const RunFailed&) {
    throw;
  } catch (const Cancelled&) {
    stop_run(talk);
    throw RunFailed(failure("cancelled", "the run was cancelled", 0, {}));
  } catch (...) {
    stop_run(talk);
    throw;
  }
  if (!talk.failed.empty()) {
    throw RunFailed(talk.failed);
  }
  return std::move(talk.answer);
}

void RunServer::send(Conversation& talk, const RunCallbacks& callbacks) {
  std::string_view left = talk.request;
  while (!left.empty()) {
    try {
      left.remove_prefix(process_.write_some(left));
    } catch (const Error&) {
      report_death();
    }
    if (!left.empty() && !receive(talk, true)) {
      report_death();
    }
    check(callbacks);
  }
  talk.sent = true;
}

void RunServer::check(const RunCallbacks& callbacks) {
  if (cancelled_) {
    throw Cancelled{};
  }
  if (callbacks.poll) {
    callbacks.poll();
  }
}

bool RunServer::receive(Conversation& talk, bool want_write) {
  std::string bytes;
  const bool open = process_.wait(poll_interval_ms, want_write, bytes);
  talk.reader.append(bytes.data(), bytes.size());
  return open;
}

// True once the run has ended.
bool RunServer::take_frames(Conversation& talk, const RunCallbacks& callbacks) {
  while (auto frame = talk.reader.next()) {
    switch (frame->type) {
      case 'P':
        if (callbacks.progress) {
          callbacks.progress(frame->payload);
        }
        break;
      case 'F':
        talk.answer.files.insert(decode_file(std::move(frame->payload)));
        break;
      case 'D':
        talk.answer.done = std::move(frame->payload);
        return true;
      case 'E':
        talk.failed = std::move(frame->payload);
        return true;
      default:
        throw Error(fmt::format("{} sent a frame of unknown type {}", executable_, static_cast<int>(frame->type)));
    }
  }
  return false;
}

// Asks the server to end its child and waits for its word; a server that gives none is killed.
void RunServer::stop_run(Conversation& talk) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(kill_grace_ms);
  try {
    const std::string kill = encode_frame('K', {});
    if (talk.sent && process_.write_some(kill) == kill.size()) {
      bool ended = false;
      while (!ended && Clock::now() < deadline && receive(talk, false)) {
        ended = take_frames(talk, {});
      }
      if (!talk.failed.empty()) {
        return;  // the server killed its child and is ready for the next run
      }
    }
  } catch (const Error&) {
    // An unreadable answer or a closed pipe: the server is of no more use, and is ended below.
  }
  alive_ = false;
  process_.kill_group();
}

void RunServer::report_death() {
  alive_ = false;
  process_.close_stdin();
  auto end = process_.wait_end(kill_grace_ms);
  if (!end) {
    end = process_.kill_group();
  }
  const std::string how = end->signal != 0
                              ? fmt::format("was ended by signal {} ({})", end->signal, ::strsignal(end->signal))
                              : fmt::format("ended with exit status {}", end->exit_status);
  throw RunFailed(failure("died", fmt::format("the run server {} {}", executable_, how), end->signal,
                          process_.last_words()));
}

}  // namespace brink::python
