// The checked reader of one JSON object: every field is asked for by name with its type and
// range, and finish() refuses what nobody asked for, with the nearest known name.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/base/error.h"
#include "models/base/json.h"

namespace brink {

/// Allowed values of a number; `unit` only appears in the message.
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool min_open = false;  // min itself is not allowed
  std::string_view unit = {};

  static Range positive(std::string_view unit = {}) { return {0.0, std::numeric_limits<double>::infinity(), true, unit}; }
  static Range at_least(double min, std::string_view unit = {}) { return {min, std::numeric_limits<double>::infinity(), false, unit}; }
  static Range between(double min, double max, std::string_view unit = {}) { return {min, max, false, unit}; }
};

class ObjectReader {
 public:
  /// Throws ConfigError unless `value` is an object. `value` must outlive the reader.
  ObjectReader(const Json& value, std::string pointer);

  [[nodiscard]] const std::string& pointer() const { return pointer_; }
  [[nodiscard]] std::string pointer_to(std::string_view key) const { return join_pointer(pointer_, key); }

  /// True when the key is present and not null (null means "not given" everywhere).
  [[nodiscard]] bool has(std::string_view key);

  // Required fields: absent or null is an error.
  double number(std::string_view key, Range range = {});
  std::int64_t integer(std::string_view key, Range range = {});
  bool boolean(std::string_view key);
  std::string string(std::string_view key);
  const Json& value(std::string_view key);
  ObjectReader object(std::string_view key);
  std::vector<double> numbers(std::string_view key, Range range = {});

  // Optional fields with a default.
  double number_or(std::string_view key, double fallback, Range range = {});
  std::int64_t integer_or(std::string_view key, std::int64_t fallback, Range range = {});
  bool boolean_or(std::string_view key, bool fallback);
  std::string string_or(std::string_view key, std::string fallback);

  /// One of a list of names.
  std::string choice(std::string_view key, const std::vector<std::string>& names);
  std::string choice_or(std::string_view key, const std::vector<std::string>& names, std::string fallback);

  /// Calls `visit(item, pointer)` for every item of the array at `key` (absent: none).
  void each(std::string_view key, const std::function<void(const Json&, const std::string&)>& visit);

  /// Marks a key as known without reading it (fields of foreign files that Brink does not use).
  void ignore(std::string_view key);
  /// Everything else in this object is allowed (Hugging Face configs carry many other keys).
  void allow_unknown() { allow_unknown_ = true; }
  /// Throws for the first key that nobody asked for, with the nearest known name.
  void finish();

  /// An error at `key` of this object.
  [[nodiscard]] ConfigError error(std::string_view key, std::string got, std::string allowed) const;

 private:
  const Json* lookup(std::string_view key);
  const Json& require(std::string_view key, const char* wanted);

  const Json* object_;
  std::string pointer_;
  std::vector<std::string> known_;
  bool allow_unknown_ = false;
};

// Checked conversions of a value that is already at hand.
double checked_number(const Json& value, const std::string& pointer, Range range = {});
std::int64_t checked_integer(const Json& value, const std::string& pointer, Range range = {});
std::string checked_string(const Json& value, const std::string& pointer);

}  // namespace brink
