// Expectations about ConfigError: the exact pointer and the exact message.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>

#include "models/base/error.h"
#include "models/base/json.h"

namespace brink::test {

/// Runs `action` and checks that it throws a ConfigError at `pointer` whose text after the
/// pointer is exactly "got <...>; <...>".
inline void expect_config_error(const std::function<void()>& action, const std::string& pointer,
                                const std::string& message) {
  try {
    action();
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.pointer(), pointer);
    EXPECT_EQ("got " + error.got() + "; " + error.allowed(), message);
    return;
  }
  ADD_FAILURE() << "no ConfigError at " << pointer;
}

/// One field of an otherwise good file made bad; an empty `value` removes the field.
struct BadField {
  std::string field;    // pointer that is changed
  std::string value;    // JSON text
  std::string pointer;  // where the error must be
  std::string message;
};

inline void PrintTo(const BadField& bad, std::ostream* out) { *out << bad.field << " = " << bad.value; }

/// `good` with one field changed as `bad` says.
inline Json with_bad_field(Json good, const BadField& bad) {
  if (!bad.value.empty()) {
    set_at_pointer(good, bad.field, parse_json(bad.value));
    return good;
  }
  const auto slash = bad.field.rfind('/');
  Json* parent = &good;
  std::size_t from = 1;
  while (from <= slash) {  // walk to the parent object, key by key
    const auto next = bad.field.find('/', from);
    parent = parent->find(bad.field.substr(from, next - from));
    from = next + 1;
  }
  auto& members = parent->members();
  std::erase_if(members, [&](const Json::Member& member) { return member.first == bad.field.substr(slash + 1); });
  return good;
}

}  // namespace brink::test
