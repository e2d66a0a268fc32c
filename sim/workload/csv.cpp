#include "sim/workload/csv.h"

#include <charconv>
#include <cmath>

#include "models/base/error.h"

namespace brink::workload {

namespace {

std::string_view strip(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// A hostile field of kilobytes must not flood the message.
std::string quoted(std::string_view text) {
  constexpr std::size_t shown_max = 40;
  if (text.size() > shown_max) return "'" + std::string(text.substr(0, shown_max)) + "...'";
  return "'" + std::string(text) + "'";
}

template <class Number>
bool parse_whole(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void split_fields(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (;;) {
    const std::size_t comma = line.find(',');
    fields.push_back(strip(line.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    line.remove_prefix(comma + 1);
  }
}

std::optional<std::size_t> column_of(const std::vector<std::string_view>& header, std::string_view name) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i] == name) return i;
  }
  return std::nullopt;
}

std::int64_t parse_tokens(std::string_view text, std::string_view column) {
  std::int64_t tokens = 0;
  if (!parse_whole(text, tokens) || tokens < 1 || tokens > request_tokens_max) {
    throw Error(std::string(column) + ": got " + quoted(text) + "; a whole number of tokens from 1 to " +
                std::to_string(request_tokens_max));
  }
  return tokens;
}

Seconds parse_seconds(std::string_view text, std::string_view column) {
  double seconds = 0.0;
  if (!parse_whole(text, seconds) || !std::isfinite(seconds) || seconds < 0.0) {
    throw Error(std::string(column) + ": got " + quoted(text) + "; a number of seconds >= 0");
  }
  return Seconds(seconds);
}

std::string join_fields(const std::vector<std::string_view>& fields) {
  std::string text;
  for (const std::string_view field : fields) {
    if (!text.empty()) text += ',';
    text += field;
  }
  return text;
}

}  // namespace brink::workload
