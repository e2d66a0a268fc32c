// JSON Pointer (RFC 6901): reading, setting and writing one.
#include <charconv>
#include <optional>

#include "models/base/error.h"
#include "models/base/json.h"

namespace brink {

namespace {

using Steps = std::vector<std::string>;

// The unescaped steps, or nothing when the text is not a JSON Pointer.
std::optional<Steps> steps_of(std::string_view pointer) {
  Steps steps;
  if (pointer.empty()) return steps;
  if (pointer.front() != '/') return std::nullopt;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      steps.emplace_back();
    } else if (pointer[i] == '~') {
      if (i + 1 == pointer.size() || (pointer[i + 1] != '0' && pointer[i + 1] != '1')) return std::nullopt;
      steps.back() += pointer[++i] == '0' ? '~' : '/';
    } else {
      steps.back() += pointer[i];
    }
  }
  return steps;
}

std::optional<std::size_t> index_of(const std::string& step) {
  if (step.empty() || (step.size() > 1 && step.front() == '0')) return std::nullopt;
  std::size_t index = 0;
  const auto [end, failure] = std::from_chars(step.data(), step.data() + step.size(), index);
  if (failure != std::errc() || end != step.data() + step.size()) return std::nullopt;
  return index;
}

// The item of an array that a step names; "-" appends one.
Json& item_at(Json& array, const std::string& step, const std::string& at) {
  if (step == "-") return array.push_back(Json());
  const std::optional<std::size_t> index = index_of(step);
  if (!index || *index >= array.items().size()) {
    const std::size_t count = array.items().size();
    const std::string indices = count == 0 ? std::string() : "an index from 0 to " + std::to_string(count - 1) + ", or ";
    throw ConfigError(at, "no such item", "allowed: " + indices + "'-' to append");
  }
  return array.items()[*index];
}

}  // namespace

void set_at_pointer(Json& root, std::string_view pointer, Json value) {
  const std::optional<Steps> steps = steps_of(pointer);
  if (!steps) {
    throw ConfigError(std::string(pointer), "text that is not a JSON Pointer",
                      "a pointer starts with '/', e.g. /engine/max_num_seqs; write ~1 for '/' and ~0 for '~' in a key");
  }
  Json* current = &root;
  std::string at;
  for (const std::string& step : *steps) {
    if (current->is_null()) *current = Json::object();  // null means "not given"
    const std::string below = join_pointer(at, step);
    if (current->is_array()) {
      current = &item_at(*current, step, below);
    } else if (current->is_object()) {
      Json* member = current->find(step);
      current = member != nullptr ? member : &current->set(step, Json());
    } else {
      throw ConfigError(at, current->describe(), "needed: an object or an array, to set " + below + " in it");
    }
    at = below;
  }
  *current = std::move(value);
}

const Json* at_pointer(const Json& root, std::string_view pointer) {
  const std::optional<Steps> steps = steps_of(pointer);
  if (!steps) return nullptr;
  const Json* current = &root;
  for (const std::string& step : *steps) {
    if (current->is_array()) {
      const std::optional<std::size_t> index = index_of(step);
      if (!index || *index >= current->items().size()) return nullptr;
      current = &current->items()[*index];
    } else {
      current = current->find(step);
      if (current == nullptr) return nullptr;
    }
  }
  return current;
}

std::string join_pointer(std::string_view base, std::string_view key) {
  std::string out(base);
  out += '/';
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string join_pointer(std::string_view base, std::size_t index) {
  return std::string(base) + "/" + std::to_string(index);
}

}  // namespace brink
