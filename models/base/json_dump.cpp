// Text of a JSON value: the same value gives the same bytes on every machine.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "models/base/json.h"

namespace brink {

namespace {

// Shortest text that reads back as the same double; it always looks like a number with a
// fraction or exponent, so that reading it back gives a number and not an integer.
void write_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  const std::string_view digits(text.data(), static_cast<std::size_t>(result.ptr - text.data()));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void write_string(std::string& out, const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; });
  if (plain) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  // Text that is not UTF-8 (a file name, say) becomes U+FFFD: what is written is always JSON.
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class Writer {
 public:
  Writer(std::string& out, int indent) : out_(out), indent_(indent) {}

  void write(const Json& value, int depth) {
    switch (value.kind()) {
      case Json::Kind::null: out_ += "null"; break;
      case Json::Kind::boolean: out_ += value.as_bool() ? "true" : "false"; break;
      case Json::Kind::integer: out_ += std::to_string(value.as_integer()); break;
      case Json::Kind::number: write_double(out_, value.as_double()); break;
      case Json::Kind::string: write_string(out_, value.as_string()); break;
      case Json::Kind::array: write_array(value, depth); break;
      case Json::Kind::object: write_object(value, depth); break;
    }
  }

 private:
  void write_array(const Json& value, int depth) {
    const std::vector<Json>& items = value.items();
    const bool one_line =
        indent_ < 0 || std::all_of(items.begin(), items.end(), [](const Json& item) { return item.is_number(); });
    out_ += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += indent_ >= 0 && one_line ? ", " : ",";
      if (!one_line) new_line(depth + 1);
      write(items[i], depth + 1);
    }
    if (!one_line) new_line(depth);
    out_ += ']';
  }

  void write_object(const Json& value, int depth) {
    bool first = true;
    out_ += '{';
    for (const Json::Member& member : value.members()) {
      if (!first) out_ += ',';
      first = false;
      new_line(depth + 1);
      write_string(out_, member.first);
      out_ += indent_ < 0 ? ":" : ": ";
      write(member.second, depth + 1);
    }
    if (!first) new_line(depth);
    out_ += '}';
  }

  void new_line(int depth) {
    if (indent_ < 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(indent_) * static_cast<std::size_t>(depth), ' ');
  }

  std::string& out_;
  int indent_;
};

}  // namespace

std::string Json::dump(int indent) const {
  std::string out;
  Writer(out, indent).write(*this, 0);
  return out;
}

}  // namespace brink
