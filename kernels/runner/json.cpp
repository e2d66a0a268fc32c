#include "kernels/runner/json.h"

#include <cmath>
#include <cstdio>

namespace brink::kernels {
namespace {

template <typename T, typename Text>
std::string array_of(const std::vector<T>& values, Text text) {
  std::string out = "[";
  for (const T& value : values) {
    if (out.size() > 1) out += ',';
    out += text(value);
  }
  return out + "]";
}

/// The end of the JSON string that starts at `begin` (its opening quote); npos if it never ends.
std::size_t string_end(std::string_view line, std::size_t begin) {
  for (std::size_t i = begin + 1; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      return i;
    }
  }
  return std::string_view::npos;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
    out += text[i];
  }
  return out;
}

}  // namespace

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

JsonObject& JsonObject::set_raw(std::string_view name, std::string value) {
  fields_.emplace_back(std::string(name), std::move(value));
  return *this;
}
JsonObject& JsonObject::set(std::string_view name, bool value) { return set_raw(name, value ? "true" : "false"); }
JsonObject& JsonObject::set(std::string_view name, std::int64_t value) { return set_raw(name, std::to_string(value)); }
JsonObject& JsonObject::set(std::string_view name, std::uint64_t value) { return set_raw(name, std::to_string(value)); }
JsonObject& JsonObject::set(std::string_view name, double value) { return set_raw(name, json_number(value)); }
JsonObject& JsonObject::set(std::string_view name, std::string_view value) {
  return set_raw(name, json_quoted(value));
}
JsonObject& JsonObject::set(std::string_view name, const JsonObject& value) { return set_raw(name, value.text()); }
JsonObject& JsonObject::set(std::string_view name, const std::vector<double>& values) {
  return set_raw(name, array_of(values, json_number));
}
JsonObject& JsonObject::set(std::string_view name, const std::vector<std::int64_t>& values) {
  return set_raw(name, array_of(values, [](std::int64_t v) { return std::to_string(v); }));
}
JsonObject& JsonObject::set(std::string_view name, const std::vector<std::string>& values) {
  return set_raw(name, array_of(values, [](const std::string& v) { return json_quoted(v); }));
}
JsonObject& JsonObject::set_null(std::string_view name) { return set_raw(name, "null"); }

std::string JsonObject::text() const {
  std::string out = "{";
  for (const auto& [name, value] : fields_) {
    if (out.size() > 1) out += ',';
    out += json_quoted(name) + ":" + value;
  }
  return out + "}";
}

std::string JsonObject::key() const {
  std::string out;
  for (const auto& [name, value] : fields_) {
    if (!out.empty()) out += ',';
    const bool quoted = value.size() >= 2 && value.front() == '"';
    out += name + "=" + (quoted ? unescaped(std::string_view(value).substr(1, value.size() - 2)) : value);
  }
  return out;
}

std::string json_string_field(std::string_view line, std::string_view name) {
  const std::string wanted = json_quoted(name) + ":\"";
  int depth = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '{' || line[i] == '[') ++depth;
    if (line[i] == '}' || line[i] == ']') --depth;
    if (line[i] != '"') continue;
    const bool found = depth == 1 && line.substr(i, wanted.size()) == wanted;
    const std::size_t begin = found ? i + wanted.size() - 1 : i;
    const std::size_t end = string_end(line, begin);
    if (end == std::string_view::npos) return {};
    if (found) return unescaped(line.substr(begin + 1, end - begin - 1));
    i = end;
  }
  return {};
}

bool json_line_complete(std::string_view line) {
  int depth = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      i = string_end(line, i);
      if (i == std::string_view::npos) return false;
    } else if (line[i] == '{' || line[i] == '[') {
      ++depth;
    } else if (line[i] == '}' || line[i] == ']') {
      if (--depth == 0) return i + 1 == line.size();
    }
  }
  return false;
}

}  // namespace brink::kernels
