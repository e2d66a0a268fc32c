// Short names for reading the facts that an inspection gathered: every key asked for is there.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>

#include "models/base/json.h"

namespace brink::app {

using Out = std::back_insert_iterator<std::string>;

inline const Json& at(const Json& object, const char* key) { return *object.find(key); }
inline double number(const Json& object, const char* key) { return at(object, key).as_double(); }
inline std::int64_t integer(const Json& object, const char* key) { return at(object, key).as_integer(); }
inline const std::string& text(const Json& object, const char* key) { return at(object, key).as_string(); }

}  // namespace brink::app
