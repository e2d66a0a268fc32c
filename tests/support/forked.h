// Runs a function in a child process: SimGrid allows one engine a process, and a test may need many.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace brink::testing {

namespace forked_detail {

inline void write_all(int file, const void* data, std::size_t size) {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(file, at, size);
    if (n <= 0) std::_Exit(3);
    at += n;
    size -= static_cast<std::size_t>(n);
  }
}

inline std::string read_all(int file) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(file, buffer, sizeof buffer);
    if (n <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

}  // namespace forked_detail

/// The doubles `work` returns in a child. Throws std::runtime_error with the child's message
/// when it threw or died.
inline std::vector<double> in_child(const std::function<std::vector<double>()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("pipe failed");
  std::fflush(nullptr);  // or the child would print what is buffered once more
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    ::close(ends[0]);
    try {
      const std::vector<double> result = work();
      forked_detail::write_all(ends[1], "v", 1);
      forked_detail::write_all(ends[1], result.data(), result.size() * sizeof(double));
    } catch (const std::exception& e) {
      const std::string message = std::string("e") + e.what();
      forked_detail::write_all(ends[1], message.data(), message.size());
    }
    std::_Exit(0);
  }
  ::close(ends[1]);
  const std::string answer = forked_detail::read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || answer.empty()) {
    throw std::runtime_error("the child died with wait status " + std::to_string(status));
  }
  if (answer[0] == 'e') throw std::runtime_error(answer.substr(1));
  std::vector<double> values((answer.size() - 1) / sizeof(double));
  std::memcpy(values.data(), answer.data() + 1, values.size() * sizeof(double));
  return values;
}

}  // namespace brink::testing
