#include "models/base/object_reader.h"

#include <algorithm>
#include <cmath>

namespace brink {

namespace {

// "2.5" and "3", not "3.0": messages are read by people.
std::string plain_number(double value) {
  std::string text = Json(value).dump();
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string allowed_range(const char* wanted, const Range& range) {
  const bool has_min = std::isfinite(range.min);
  const bool has_max = std::isfinite(range.max);
  std::string text = std::string("allowed: ") + wanted;
  if (has_min) text += (range.min_open ? " > " : " >= ") + plain_number(range.min);
  if (has_max) text += (has_min ? " and <= " : " <= ") + plain_number(range.max);
  if (!range.unit.empty()) text += " (" + std::string(range.unit) + ")";
  return text;
}

bool in_range(double value, const Range& range) {
  const bool above_min = range.min_open ? value > range.min : value >= range.min;
  return above_min && value <= range.max;
}

}  // namespace

double checked_number(const Json& value, const std::string& pointer, Range range) {
  const bool usable = value.is_number() && std::isfinite(value.as_double()) && in_range(value.as_double(), range);
  if (!usable) throw ConfigError(pointer, value.describe(), allowed_range("a number", range));
  return value.as_double();
}

std::int64_t checked_integer(const Json& value, const std::string& pointer, Range range) {
  if (value.kind() == Json::Kind::number) {
    const double number = value.as_double();
    // Exactly representable and whole: the file meant an integer and can say so.
    constexpr double exact_max = 9007199254740992.0;
    const bool whole = std::abs(number) <= exact_max && std::trunc(number) == number;
    const std::string hint = whole ? " (write " + std::to_string(static_cast<std::int64_t>(number)) + ")" : "";
    throw ConfigError(pointer, value.describe(), allowed_range("an integer", range) + hint);
  }
  const bool usable = value.kind() == Json::Kind::integer && in_range(value.as_double(), range);
  if (!usable) throw ConfigError(pointer, value.describe(), allowed_range("an integer", range));
  return value.as_integer();
}

std::string checked_string(const Json& value, const std::string& pointer) {
  if (!value.is_string()) throw ConfigError(pointer, value.describe(), "allowed: a string");
  return value.as_string();
}

ObjectReader::ObjectReader(const Json& value, std::string pointer) : object_(&value), pointer_(std::move(pointer)) {
  if (!value.is_object()) throw ConfigError(pointer_, value.describe(), "allowed: an object");
}

bool ObjectReader::has(std::string_view key) { return lookup(key) != nullptr; }

double ObjectReader::number(std::string_view key, Range range) {
  return checked_number(require(key, "a number"), pointer_to(key), range);
}

std::int64_t ObjectReader::integer(std::string_view key, Range range) {
  return checked_integer(require(key, "an integer"), pointer_to(key), range);
}

bool ObjectReader::boolean(std::string_view key) {
  const Json& found = require(key, "true or false");
  if (found.kind() != Json::Kind::boolean) throw error(key, found.describe(), "allowed: true or false");
  return found.as_bool();
}

std::string ObjectReader::string(std::string_view key) {
  return checked_string(require(key, "a string"), pointer_to(key));
}

const Json& ObjectReader::value(std::string_view key) { return require(key, "a value"); }

ObjectReader ObjectReader::object(std::string_view key) { return {require(key, "an object"), pointer_to(key)}; }

std::vector<double> ObjectReader::numbers(std::string_view key, Range range) {
  require(key, "an array of numbers");
  std::vector<double> values;
  each(key, [&](const Json& item, const std::string& at) { values.push_back(checked_number(item, at, range)); });
  return values;
}

double ObjectReader::number_or(std::string_view key, double fallback, Range range) {
  return has(key) ? number(key, range) : fallback;
}

std::int64_t ObjectReader::integer_or(std::string_view key, std::int64_t fallback, Range range) {
  return has(key) ? integer(key, range) : fallback;
}

bool ObjectReader::boolean_or(std::string_view key, bool fallback) { return has(key) ? boolean(key) : fallback; }

std::string ObjectReader::string_or(std::string_view key, std::string fallback) {
  return has(key) ? string(key) : std::move(fallback);
}

std::string ObjectReader::choice(std::string_view key, const std::vector<std::string>& names) {
  const Json& found = require(key, "a name");
  const std::string name = found.is_string() ? found.as_string() : std::string();
  if (!found.is_string() || std::find(names.begin(), names.end(), name) == names.end()) {
    throw error(key, found.describe(), allowed_names(name, names));
  }
  return name;
}

std::string ObjectReader::choice_or(std::string_view key, const std::vector<std::string>& names,
                                    std::string fallback) {
  return has(key) ? choice(key, names) : std::move(fallback);
}

void ObjectReader::each(std::string_view key,
                        const std::function<void(const Json&, const std::string&)>& visit) {
  const Json* found = lookup(key);
  if (found == nullptr) return;
  if (!found->is_array()) throw error(key, found->describe(), "allowed: an array");
  const std::string base = pointer_to(key);
  for (std::size_t i = 0; i < found->items().size(); ++i) visit(found->items()[i], join_pointer(base, i));
}

void ObjectReader::ignore(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
}

void ObjectReader::finish() {
  if (allow_unknown_) return;
  for (const Json::Member& member : object_->members()) {
    if (std::find(known_.begin(), known_.end(), member.first) == known_.end()) {
      throw error(member.first, "an unknown field", allowed_names(member.first, known_));
    }
  }
}

ConfigError ObjectReader::error(std::string_view key, std::string got, std::string allowed) const {
  return {pointer_to(key), std::move(got), std::move(allowed)};
}

const Json* ObjectReader::lookup(std::string_view key) {
  ignore(key);
  const Json* found = object_->find(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

const Json& ObjectReader::require(std::string_view key, const char* wanted) {
  const Json* found = lookup(key);
  if (found == nullptr) throw error(key, "nothing", std::string("required: ") + wanted);
  return *found;
}

}  // namespace brink
