#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brink::kernels {

/// One JSON object, written in the order its fields are set. Only what a results line needs:
/// scalars, arrays of numbers and nested objects. A number that is not finite becomes null.
class JsonObject {
 public:
  JsonObject& set(std::string_view name, bool value);
  JsonObject& set(std::string_view name, int value) { return set(name, static_cast<std::int64_t>(value)); }
  JsonObject& set(std::string_view name, std::int64_t value);
  JsonObject& set(std::string_view name, std::uint64_t value);
  JsonObject& set(std::string_view name, double value);
  JsonObject& set(std::string_view name, std::string_view value);
  JsonObject& set(std::string_view name, const char* value) { return set(name, std::string_view(value)); }
  JsonObject& set(std::string_view name, const JsonObject& value);
  JsonObject& set(std::string_view name, const std::vector<double>& values);
  JsonObject& set(std::string_view name, const std::vector<std::int64_t>& values);
  JsonObject& set(std::string_view name, const std::vector<std::string>& values);
  JsonObject& set_null(std::string_view name);
  /// `value` is JSON already.
  JsonObject& set_raw(std::string_view name, std::string value);

  bool empty() const { return fields_.empty(); }
  /// The object on one line, without a line break.
  std::string text() const;
  /// "name=value,name=value": stable as long as names, order and values are.
  std::string key() const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;  // name, value as JSON text
};

/// The text of a JSON string, quotes and escapes included.
std::string json_quoted(std::string_view text);
/// The shortest of %.9g that a results file needs; "null" if not finite.
std::string json_number(double value);

/// The value of the string field `name` at the top level of one line this program wrote;
/// empty if there is none. Escapes other than \" and \\ are kept as written.
std::string json_string_field(std::string_view line, std::string_view name);
/// Whether a line is one complete object: the last line of a killed run may not be.
bool json_line_complete(std::string_view line);

}  // namespace brink::kernels
