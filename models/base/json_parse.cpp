// Strict parsing on nlohmann's lexer. Its own document model is not used: it wraps integers
// and keeps the last of two equal keys without a word.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "models/base/error.h"
#include "models/base/json.h"

namespace brink {

namespace {

constexpr const char* strict_json = "allowed: strict JSON (RFC 8259)";

std::string count_text(std::size_t count, const char* what) { return std::to_string(count) + " " + what; }

// Text for a message: at most 160 characters, printable ASCII.
std::string printable(std::string_view text) {
  constexpr std::size_t length_max = 160;
  constexpr const char* hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text.substr(0, length_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      out += c;
    } else {
      out += "\\x";
      out += hex[byte >> 4U];
      out += hex[byte & 0xFU];
    }
  }
  if (text.size() > length_max) out += "...";
  return out;
}

class DocumentBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  DocumentBuilder(std::string_view text, const std::string& file, const JsonLimits& limits)
      : text_(text), file_(file), limits_(limits) {}

  [[nodiscard]] Json take() { return std::move(root_); }

  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(number_integer_t value) override { return add(Json(std::int64_t{value})); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      fail_integer(std::to_string(value));
    }
    return add(Json(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t& digits) override {
    // The lexer turns an integer that does not fit 64 bits into a float.
    if (digits.find_first_of(".eE") == std::string::npos) fail_integer(digits);
    return add(Json(value));
  }
  bool string(string_t& value) override { return add(Json(std::move(value))); }
  bool binary(binary_t& /*value*/) override { return false; }

  bool start_object(std::size_t /*size*/) override { return open(Json::object()); }
  bool key(string_t& name) override {
    Frame& frame = frames_.back();
    frame.key = std::move(name);
    if (seen_before(frame)) fail(pointer(), "this key a second time", "allowed: every key of an object once");
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(Json::array()); }
  bool end_array() override { return close(); }

  bool parse_error(std::size_t position, const std::string& token, const nlohmann::json::exception& error) override {
    constexpr int number_overflow = 406;
    if (error.id == number_overflow) {
      fail(pointer(), "the number " + printable(token), "allowed: a finite number (magnitude below 1.8e308)");
    }
    const std::string_view what = error.what();
    // nlohmann's text is "[...] parse error at line l, column c: <what went wrong>".
    const std::size_t reason = what.find(": ");
    fail(container_pointer(),
         "invalid JSON at " + line_and_column(position) + ": " +
             printable(reason == std::string_view::npos ? what : what.substr(reason + 2)),
         strict_json);
  }

  [[noreturn]] void fail(const std::string& at, std::string got, std::string allowed) const {
    throw ConfigError(at, std::move(got), std::move(allowed), file_);
  }

  // Counts from 1; `position` is the number of bytes read, the offending one included.
  [[nodiscard]] std::string line_and_column(std::size_t position) const {
    std::size_t line = 1;
    std::size_t column = 0;
    for (std::size_t i = 0; i < std::min(position, text_.size()); ++i) {
      ++column;
      if (text_[i] == '\n' && i + 1 < position) {
        ++line;
        column = 0;
      }
    }
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
  }

 private:
  struct Frame {
    Json* value = nullptr;  // stays put: its parent grows only after it is closed
    std::string key;        // of the member being read
    std::unordered_set<std::string> keys;  // filled once the object is large
  };

  [[noreturn]] void fail_integer(const std::string& digits) const {
    fail(pointer(), "the integer " + printable(digits), "allowed: an integer from -2^63 to 2^63 - 1");
  }

  // Small objects are searched, large ones hashed: a hostile file must not cost n^2.
  static bool seen_before(Frame& frame) {
    constexpr std::size_t searched_max = 16;
    const std::vector<Json::Member>& members = frame.value->members();
    if (members.size() < searched_max) return frame.value->find(frame.key) != nullptr;
    if (frame.keys.empty()) {
      for (const Json::Member& member : members) frame.keys.insert(member.first);
    }
    return !frame.keys.insert(frame.key).second;
  }

  Json& place(Json value) {
    if (++values_ > limits_.values_max) {
      fail("", "more than " + count_text(limits_.values_max, "values"), "allowed: a smaller file");
    }
    if (frames_.empty()) return root_ = std::move(value);
    Json& parent = *frames_.back().value;
    if (parent.is_array()) return parent.push_back(std::move(value));
    return parent.members().emplace_back(frames_.back().key, std::move(value)).second;
  }

  bool add(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json container) {
    if (frames_.size() >= static_cast<std::size_t>(limits_.depth_max)) {
      fail(pointer(), "a value nested deeper than " + std::to_string(limits_.depth_max) + " levels",
           "allowed: at most " + std::to_string(limits_.depth_max) + " levels of arrays and objects");
    }
    frames_.push_back({&place(std::move(container)), {}, {}});
    return true;
  }

  bool close() {
    frames_.pop_back();
    return true;
  }

  // Pointer to the open child of the container at `depth - 1`.
  [[nodiscard]] std::string pointer_through(std::size_t depth) const {
    std::string at;
    for (std::size_t i = 0; i < depth; ++i) {
      const Json& container = *frames_[i].value;
      // The open child of an outer array is its last item; the innermost one's is yet to come.
      const std::size_t placed = i + 1 < frames_.size() ? 1 : 0;
      at = container.is_array() ? join_pointer(at, container.items().size() - placed)
                                : join_pointer(at, frames_[i].key);
    }
    return at;
  }
  // Of the value that is being read.
  [[nodiscard]] std::string pointer() const { return pointer_through(frames_.size()); }
  // Of the array or object that is being read.
  [[nodiscard]] std::string container_pointer() const {
    return frames_.empty() ? std::string() : pointer_through(frames_.size() - 1);
  }

  std::string_view text_;
  const std::string& file_;
  const JsonLimits& limits_;
  Json root_;
  std::vector<Frame> frames_;
  std::size_t values_ = 0;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& file, const JsonLimits& limits) {
  DocumentBuilder builder(text, file, limits);
  if (text.size() > limits.bytes_max) {
    builder.fail("", count_text(text.size(), "bytes"), "allowed: at most " + count_text(limits.bytes_max, "bytes"));
  }
  // The lexer takes a NUL byte for the end of the text and would ignore what follows.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    builder.fail("", "a NUL byte at " + builder.line_and_column(nul + 1), strict_json);
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) builder.fail("", "an empty text", strict_json);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

Json load_json(const std::string& path, const JsonLimits& limits) {
  constexpr const char* want_file = "give the path of a JSON file";
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (!std::filesystem::exists(status)) throw ConfigError("", "no such file", want_file, path);
  if (std::filesystem::is_directory(status)) throw ConfigError("", "a folder", want_file, path);
  std::ifstream in(path, std::ios::binary);
  if (!in) throw ConfigError("", "a file that cannot be opened", "check its permissions", path);
  // One byte more than allowed is enough to refuse; a pipe has no size to ask for.
  std::string text;
  std::string block(std::size_t{1} << 16, '\0');
  while (text.size() <= limits.bytes_max && in) {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    text.append(block, 0, static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw ConfigError("", "a file that cannot be read", "check the disk and its permissions", path);
  if (text.size() > limits.bytes_max) {
    throw ConfigError("", "more than " + count_text(limits.bytes_max, "bytes"), "allowed: a smaller file", path);
  }
  return parse_json(text, path, limits);
}

void apply_setting(Json& root, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    throw ConfigError("", "the setting " + Json(assignment).dump(),
                      "allowed: POINTER=VALUE, e.g. /engine/max_num_seqs=128");
  }
  const std::string_view pointer = assignment.substr(0, equals);
  const std::string_view text = assignment.substr(equals + 1);
  const bool is_json = text.find('\0') == std::string_view::npos && nlohmann::json::accept(text.begin(), text.end());
  Json value(text);
  try {
    if (is_json) value = parse_json(text);
  } catch (const ConfigError& error) {
    throw ConfigError(std::string(pointer) + error.pointer(), error.got(), error.allowed());
  }
  set_at_pointer(root, pointer, std::move(value));
}

}  // namespace brink
