#include "models/base/json.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "models/base/error.h"

namespace brink {

namespace {

// Long or binary text must not drown the message that quotes it.
std::string quoted(const std::string& text) {
  constexpr std::size_t length_max = 60;
  if (text.size() <= length_max) return Json(text).dump();
  std::size_t cut = length_max;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;  // not inside a character
  return Json(text.substr(0, cut)).dump() + "... (" + std::to_string(text.size()) + " bytes)";
}

}  // namespace

Json::Json(std::uint64_t i) : kind_(Kind::integer), integer_(static_cast<std::int64_t>(i)) {
  if (i > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    throw Error("the integer " + std::to_string(i) + " does not fit a JSON integer (at most 2^63 - 1)");
  }
}

bool Json::as_bool() const {
  assert(kind_ == Kind::boolean);
  return integer_ != 0;
}

std::int64_t Json::as_integer() const {
  assert(kind_ == Kind::integer);
  return integer_;
}

double Json::as_double() const {
  assert(is_number());
  return kind_ == Kind::integer ? static_cast<double>(integer_) : number_;
}

const std::string& Json::as_string() const {
  assert(kind_ == Kind::string);
  return string_;
}

const Json* Json::find(std::string_view key) const {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.first == key; });
  return found == members_.end() ? nullptr : &found->second;
}

Json* Json::find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).find(key)); }

Json& Json::set(std::string_view key, Json value) {
  assert(kind_ == Kind::object);
  if (Json* present = find(key)) {
    *present = std::move(value);
    return *present;
  }
  return members_.emplace_back(std::string(key), std::move(value)).second;
}

Json& Json::push_back(Json value) {
  assert(kind_ == Kind::array);
  return items_.emplace_back(std::move(value));
}

std::string Json::describe() const {
  switch (kind_) {
    case Kind::null: return "null";
    case Kind::boolean: return integer_ != 0 ? "true" : "false";
    case Kind::integer: return "the integer " + dump();
    case Kind::number: return "the number " + dump();
    case Kind::string: return "the string " + quoted(string_);
    case Kind::array: return items_.empty() ? "an empty array" : "an array";
    case Kind::object: return members_.empty() ? "an empty object" : "an object";
  }
  return "nothing";
}

}  // namespace brink
