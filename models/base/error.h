// What a caller did wrong, said so that it can be mended: where (JSON Pointer), what was
// got, what is allowed or what to do.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace brink {

/// Every error Brink raises on purpose. The library throws; it never prints or exits.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A field of a scenario, model, GPU, cluster or profile file that cannot be used.
/// `what()` reads "<file>: <pointer>: got <got>; <allowed>".
class ConfigError : public Error {
 public:
  ConfigError(std::string pointer, std::string got, std::string allowed, std::string file = {});

  [[nodiscard]] const std::string& pointer() const { return pointer_; }
  [[nodiscard]] const std::string& got() const { return got_; }
  [[nodiscard]] const std::string& allowed() const { return allowed_; }
  [[nodiscard]] const std::string& file() const { return file_; }

  /// The same error, naming the file it was found in (kept if one is already named).
  [[nodiscard]] ConfigError in_file(const std::string& file) const;

 private:
  std::string pointer_, got_, allowed_, file_;
};

/// A row of a trace or measurement table that cannot be used. Lines count from 1.
class TraceError : public Error {
 public:
  TraceError(const std::string& file, std::size_t line, const std::string& what);
};

/// The candidate with the least edit distance to `name`, or "" when none is near enough: at
/// most a third of the longer name differs, or two letters of five or more, or `name` is its
/// beginning.
[[nodiscard]] std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

/// "did you mean 'x'? allowed: a, b, c" for an unknown name.
[[nodiscard]] std::string allowed_names(std::string_view got, const std::vector<std::string>& candidates);

}  // namespace brink
