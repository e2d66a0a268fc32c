// JSON as values: parsed strictly (duplicate keys, non-finite or wrapped numbers, depth and
// size are errors), written deterministically (insertion order, shortest round-trip numbers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brink {

class Json {
 public:
  enum class Kind { null, boolean, integer, number, string, array, object };
  using Member = std::pair<std::string, Json>;

  Json() = default;
  Json(bool b) : kind_(Kind::boolean), integer_(b ? 1 : 0) {}
  Json(int i) : kind_(Kind::integer), integer_(i) {}
  Json(std::int64_t i) : kind_(Kind::integer), integer_(i) {}
  /// Throws Error above 2^63 - 1: a JSON integer is never rounded.
  Json(std::uint64_t i);
  /// Non-finite values are written as null (JSON has no other way).
  Json(double d) : kind_(Kind::number), number_(d) {}
  Json(const char* s) : kind_(Kind::string), string_(s) {}
  Json(std::string s) : kind_(Kind::string), string_(std::move(s)) {}
  Json(std::string_view s) : kind_(Kind::string), string_(s) {}

  static Json array() { Json j; j.kind_ = Kind::array; return j; }
  static Json object() { Json j; j.kind_ = Kind::object; return j; }
  template <class Range>
  static Json array_of(const Range& values) {
    Json j = array();
    for (const auto& v : values) j.push_back(Json(v));
    return j;
  }

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_null() const { return kind_ == Kind::null; }
  [[nodiscard]] bool is_object() const { return kind_ == Kind::object; }
  [[nodiscard]] bool is_array() const { return kind_ == Kind::array; }
  [[nodiscard]] bool is_string() const { return kind_ == Kind::string; }
  [[nodiscard]] bool is_number() const { return kind_ == Kind::integer || kind_ == Kind::number; }

  // Unchecked accessors: the kind must match (asserted). Input goes through ObjectReader.
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_integer() const;
  [[nodiscard]] double as_double() const;
  [[nodiscard]] const std::string& as_string() const;
  [[nodiscard]] const std::vector<Json>& items() const { return items_; }
  [[nodiscard]] std::vector<Json>& items() { return items_; }
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  [[nodiscard]] std::vector<Member>& members() { return members_; }

  /// Member of an object, or nullptr.
  [[nodiscard]] const Json* find(std::string_view key) const;
  [[nodiscard]] Json* find(std::string_view key);
  /// Sets (replacing in place or appending) a member and returns it.
  Json& set(std::string_view key, Json value);
  /// Appends to an array and returns the new item.
  Json& push_back(Json value);

  /// Text of the value. indent < 0: one line. Arrays of plain numbers stay on one line.
  [[nodiscard]] std::string dump(int indent = -1) const;
  /// "the string \"a\"", "the integer 3", "an object" ... for error messages.
  [[nodiscard]] std::string describe() const;

 private:
  Kind kind_ = Kind::null;
  std::int64_t integer_ = 0;
  double number_ = 0.0;
  std::string string_;
  std::vector<Json> items_;
  std::vector<Member> members_;
};

struct JsonLimits {
  std::size_t bytes_max = std::size_t{64} << 20;  // a scenario, config or profile file
  int depth_max = 64;
  std::size_t values_max = 4'000'000;  // bounds the memory a file of tiny values takes (~0.5 GB)
};

/// Parses strict JSON. `file` only names the input in errors.
/// Throws ConfigError (pointer of the offending value; syntax errors give line and column).
[[nodiscard]] Json parse_json(std::string_view text, const std::string& file = {}, const JsonLimits& limits = {});

/// Reads and parses a file; a missing or unreadable file is a ConfigError at pointer "".
[[nodiscard]] Json load_json(const std::string& path, const JsonLimits& limits = {});

/// Sets the value at `pointer` ("/engine/max_num_seqs"; ~0 and ~1 escapes; array indices and
/// "-" to append), creating missing objects. Throws ConfigError when the path crosses a scalar.
void set_at_pointer(Json& root, std::string_view pointer, Json value);

/// The value at `pointer`, or nullptr.
[[nodiscard]] const Json* at_pointer(const Json& root, std::string_view pointer);

/// `--set POINTER=VALUE`: VALUE parsed as JSON, else taken as a string.
void apply_setting(Json& root, std::string_view assignment);

/// One JSON Pointer step, escaped: join_pointer("/a", "b/c") == "/a/b~1c".
[[nodiscard]] std::string join_pointer(std::string_view base, std::string_view key);
[[nodiscard]] std::string join_pointer(std::string_view base, std::size_t index);

}  // namespace brink
