// Bad input, one line a case: the exact pointer and message that a user sees.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/base/object_reader.h"

namespace brink {
namespace {

struct Case {
  const char* name;
  std::string input;
  const char* pointer;
  const char* message;
};

void expect_refused(const Case& c, const std::function<void(const std::string&)>& use) {
  SCOPED_TRACE(c.name);
  try {
    use(c.input);
    ADD_FAILURE() << "accepted: " << c.input.substr(0, 200);
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.pointer(), c.pointer);
    EXPECT_STREQ(error.what(), c.message);
  }
}

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

// Large enough that keys are hashed and not searched.
std::string object_with_repeated_k20() {
  std::string text = "{";
  for (int i = 0; i < 40; ++i) text += "\"k" + std::to_string(i) + "\": 1,";
  return text + "\"k20\": 1}";
}

TEST(BadJson, Text) {
  const std::string deep_pointer = repeated("/0", 64);
  const std::string deep_message =
      deep_pointer + ": got a value nested deeper than 64 levels; allowed: at most 64 levels of arrays and objects";
  const std::vector<Case> cases = {
      {"empty", "", "", "(whole file): got an empty text; allowed: strict JSON (RFC 8259)"},
      {"only spaces", "  \n ", "", "(whole file): got an empty text; allowed: strict JSON (RFC 8259)"},
      {"unclosed object", R"({"a": 1)", "",
       "(whole file): got invalid JSON at line 1, column 7: syntax error while parsing object - unexpected end of input; expected '}'; allowed: strict JSON (RFC 8259)"},
      {"unclosed array", "[1, 2", "",
       "(whole file): got invalid JSON at line 1, column 5: syntax error while parsing array - unexpected end of input; expected ']'; allowed: strict JSON (RFC 8259)"},
      {"trailing text", "{} x", "",
       "(whole file): got invalid JSON at line 1, column 4: syntax error while parsing value - invalid literal; last read: '{} x'; expected end of input; allowed: strict JSON (RFC 8259)"},
      {"second value", "1 2", "",
       "(whole file): got invalid JSON at line 1, column 3: syntax error while parsing value - unexpected number literal; expected end of input; allowed: strict JSON (RFC 8259)"},
      {"trailing comma", "[1,]", "",
       "(whole file): got invalid JSON at line 1, column 4: syntax error while parsing value - unexpected ']'; expected '[', '{', or a literal; allowed: strict JSON (RFC 8259)"},
      {"trailing comma in an object", R"({"a": 1,})", "",
       "(whole file): got invalid JSON at line 1, column 9: syntax error while parsing object key - unexpected '}'; expected string literal; allowed: strict JSON (RFC 8259)"},
      {"missing colon", R"({"a" 1})", "",
       "(whole file): got invalid JSON at line 1, column 6: syntax error while parsing object separator - unexpected number literal; expected ':'; allowed: strict JSON (RFC 8259)"},
      {"missing comma inside", "{\n  \"a\": [1\n   2]\n}", "/a",
       "/a: got invalid JSON at line 3, column 4: syntax error while parsing array - unexpected number literal; expected ']'; allowed: strict JSON (RFC 8259)"},
      {"single quotes", "{'a': 1}", "",
       "(whole file): got invalid JSON at line 1, column 2: syntax error while parsing object key - invalid literal; last read: '{''; expected string literal; allowed: strict JSON (RFC 8259)"},
      {"comment", "{} // no", "",
       "(whole file): got invalid JSON at line 1, column 4: syntax error while parsing value - invalid literal; last read: '{} /'; expected end of input; allowed: strict JSON (RFC 8259)"},
      {"leading zero", "01", "",
       "(whole file): got invalid JSON at line 1, column 2: syntax error while parsing value - unexpected number literal; expected end of input; allowed: strict JSON (RFC 8259)"},
      {"leading plus", "+1", "",
       "(whole file): got invalid JSON at line 1, column 1: syntax error while parsing value - invalid literal; last read: '+'; allowed: strict JSON (RFC 8259)"},
      {"bare dot", ".5", "",
       "(whole file): got invalid JSON at line 1, column 1: syntax error while parsing value - invalid literal; last read: '.'; allowed: strict JSON (RFC 8259)"},
      {"NaN", R"({"a": NaN})", "",
       "(whole file): got invalid JSON at line 1, column 7: syntax error while parsing value - invalid literal; last read: '\"a\": N'; allowed: strict JSON (RFC 8259)"},
      {"Infinity", "Infinity", "",
       "(whole file): got invalid JSON at line 1, column 1: syntax error while parsing value - invalid literal; last read: 'I'; allowed: strict JSON (RFC 8259)"},
      {"overflow", R"({"a": {"b": 1e999}})", "/a/b",
       "/a/b: got the number 1e999; allowed: a finite number (magnitude below 1.8e308)"},
      {"negative overflow in an array", R"([0, -1e999])", "/1",
       "/1: got the number -1e999; allowed: a finite number (magnitude below 1.8e308)"},
      {"integer above int64", R"({"seed": 9223372036854775808})", "/seed",
       "/seed: got the integer 9223372036854775808; allowed: an integer from -2^63 to 2^63 - 1"},
      {"integer above uint64", R"([1, [2, 99999999999999999999]])", "/1/1",
       "/1/1: got the integer 99999999999999999999; allowed: an integer from -2^63 to 2^63 - 1"},
      {"integer below int64", "-9223372036854775809", "",
       "(whole file): got the integer -9223372036854775809; allowed: an integer from -2^63 to 2^63 - 1"},
      {"duplicate key", R"({"a": 1, "b": 2, "a": 3})", "/a",
       "/a: got this key a second time; allowed: every key of an object once"},
      {"duplicate key inside", R"({"x": [{}, {"a": 1, "a": 1}]})", "/x/1/a",
       "/x/1/a: got this key a second time; allowed: every key of an object once"},
      {"duplicate escaped key", R"({"a/b": 1, "a\u002fb": 1})", "/a~1b",
       "/a~1b: got this key a second time; allowed: every key of an object once"},
      {"duplicate empty key", R"({"": 1, "": 1})", "/",
       "/: got this key a second time; allowed: every key of an object once"},
      {"duplicate in a large object", object_with_repeated_k20(), "/k20",
       "/k20: got this key a second time; allowed: every key of an object once"},
      {"too deep", std::string(65, '['), deep_pointer.c_str(),
       deep_message.c_str()},
      {"invalid UTF-8", "{\"a\": \"\xFF\"}", "",
       "(whole file): got invalid JSON at line 1, column 8: syntax error while parsing value - invalid string: ill-formed UTF-8 byte; last read: '\"\\xFF'; allowed: strict JSON (RFC 8259)"},
      {"cut UTF-8", "[\"\xC3\"]", "",
       "(whole file): got invalid JSON at line 1, column 4: syntax error while parsing value - invalid string: ill-formed UTF-8 byte; last read: '\"\\xC3\"'; allowed: strict JSON (RFC 8259)"},
      {"overlong UTF-8", "[\"\xC0\x80\"]", "",
       "(whole file): got invalid JSON at line 1, column 3: syntax error while parsing value - invalid string: ill-formed UTF-8 byte; last read: '\"\\xC0'; allowed: strict JSON (RFC 8259)"},
      {"lone surrogate", R"(["\ud800"])", "",
       "(whole file): got invalid JSON at line 1, column 9: syntax error while parsing value - invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF; last read: '\"\\ud800\"'; allowed: strict JSON (RFC 8259)"},
      {"bad escape", R"(["\x41"])", "",
       "(whole file): got invalid JSON at line 1, column 4: syntax error while parsing value - invalid string: forbidden character after backslash; last read: '\"\\x'; allowed: strict JSON (RFC 8259)"},
      {"raw control character", "[\"a\nb\"]", "",
       "(whole file): got invalid JSON at line 1, column 4: syntax error while parsing value - invalid string: control character U+000A (LF) must be escaped to \\u000A or \\n; last read: '\"a<U+000A>'; allowed: strict JSON (RFC 8259)"},
      {"NUL byte", std::string("{}\0{}", 5), "",
       "(whole file): got a NUL byte at line 1, column 3; allowed: strict JSON (RFC 8259)"},
      {"unclosed string", "[\"abc", "",
       "(whole file): got invalid JSON at line 1, column 5: syntax error while parsing value - invalid string: missing closing quote; last read: '\"abc'; allowed: strict JSON (RFC 8259)"},
      {"misspelt literal", R"({"a": True})", "",
       "(whole file): got invalid JSON at line 1, column 7: syntax error while parsing value - invalid literal; last read: '\"a\": T'; allowed: strict JSON (RFC 8259)"},
  };
  for (const Case& c : cases) expect_refused(c, [](const std::string& text) { (void)parse_json(text); });
}

// Reads an object of known fields the way rooms do.
void read_fields(const std::string& text) {
  const Json j = parse_json(text);
  ObjectReader reader(j, "/engine");
  if (reader.has("required")) {
    ObjectReader inner = reader.object("required");
    inner.number("rate", Range::positive("1/s"));
    inner.finish();
  }
  reader.number_or("fraction", 0.5, Range::between(0, 1));
  reader.number_or("any", 0.0);
  reader.integer_or("count", 1, Range::at_least(1, "sequences"));
  reader.boolean_or("flag", false);
  reader.string_or("name", "");
  reader.choice_or("policy", {"fcfs", "priority"}, "fcfs");
  if (reader.has("values")) reader.numbers("values", Range::at_least(0));
  reader.each("list", [](const Json& item, const std::string& at) { checked_string(item, at); });
  reader.finish();
}

TEST(BadJson, Fields) {
  const std::vector<Case> cases = {
      {"an array for the object", "[]", "/engine", "/engine: got an empty array; allowed: an object"},
      {"a string for the object", R"("x")", "/engine", "/engine: got the string \"x\"; allowed: an object"},
      {"null for the object", "null", "/engine", "/engine: got null; allowed: an object"},
      {"unknown, near", R"({"polcy": "fcfs"})", "/engine/polcy",
       "/engine/polcy: got an unknown field; did you mean 'policy'? allowed: required, fraction, any, count, flag, name, policy, values, list"},
      {"unknown, far", R"({"temperature": 1})", "/engine/temperature",
       "/engine/temperature: got an unknown field; allowed: required, fraction, any, count, flag, name, policy, values, list"},
      {"unknown that needs escapes", R"({"a/b~": 1})", "/engine/a~1b~0",
       "/engine/a~1b~0: got an unknown field; allowed: required, fraction, any, count, flag, name, policy, values, list"},
      {"inner unknown", R"({"required": {"rate": 1, "rates": 2}})", "/engine/required/rates",
       "/engine/required/rates: got an unknown field; did you mean 'rate'? allowed: rate"},
      {"inner missing", R"({"required": {}})", "/engine/required/rate",
       "/engine/required/rate: got nothing; required: a number"},
      {"inner null", R"({"required": {"rate": null}})", "/engine/required/rate",
       "/engine/required/rate: got nothing; required: a number"},
      {"inner wrong kind", R"({"required": 3})", "/engine/required",
       "/engine/required: got the integer 3; allowed: an object"},
      {"open end", R"({"required": {"rate": 0}})", "/engine/required/rate",
       "/engine/required/rate: got the integer 0; allowed: a number > 0 (1/s)"},
      {"below zero", R"({"required": {"rate": -1.5}})", "/engine/required/rate",
       "/engine/required/rate: got the number -1.5; allowed: a number > 0 (1/s)"},
      {"above a range", R"({"fraction": 1.01})", "/engine/fraction",
       "/engine/fraction: got the number 1.01; allowed: a number >= 0 and <= 1"},
      {"below a range", R"({"fraction": -1e-9})", "/engine/fraction",
       "/engine/fraction: got the number -1e-09; allowed: a number >= 0 and <= 1"},
      {"string for a number", R"({"any": "1"})", "/engine/any",
       "/engine/any: got the string \"1\"; allowed: a number"},
      {"boolean for a number", R"({"any": true})", "/engine/any", "/engine/any: got true; allowed: a number"},
      {"object for a number", R"({"any": {"a": 1}})", "/engine/any", "/engine/any: got an object; allowed: a number"},
      {"number for an integer", R"({"count": 2.5})", "/engine/count",
       "/engine/count: got the number 2.5; allowed: an integer >= 1 (sequences)"},
      {"whole number for an integer", R"({"count": 1e3})", "/engine/count",
       "/engine/count: got the number 1000.0; allowed: an integer >= 1 (sequences) (write 1000)"},
      {"huge number for an integer", R"({"count": 1e300})", "/engine/count",
       "/engine/count: got the number 1e+300; allowed: an integer >= 1 (sequences)"},
      {"integer too small", R"({"count": 0})", "/engine/count",
       "/engine/count: got the integer 0; allowed: an integer >= 1 (sequences)"},
      {"string for an integer", R"({"count": "2"})", "/engine/count",
       "/engine/count: got the string \"2\"; allowed: an integer >= 1 (sequences)"},
      {"integer for a boolean", R"({"flag": 1})", "/engine/flag",
       "/engine/flag: got the integer 1; allowed: true or false"},
      {"string for a boolean", R"({"flag": "true"})", "/engine/flag",
       "/engine/flag: got the string \"true\"; allowed: true or false"},
      {"integer for a string", R"({"name": 3})", "/engine/name",
       "/engine/name: got the integer 3; allowed: a string"},
      {"array for a string", R"({"name": []})", "/engine/name",
       "/engine/name: got an empty array; allowed: a string"},
      {"unknown choice", R"({"policy": "priorty"})", "/engine/policy",
       "/engine/policy: got the string \"priorty\"; did you mean 'priority'? allowed: fcfs, priority"},
      {"choice of another kind", R"({"policy": 2})", "/engine/policy",
       "/engine/policy: got the integer 2; allowed: fcfs, priority"},
      {"empty choice", R"({"policy": ""})", "/engine/policy",
       "/engine/policy: got the string \"\"; allowed: fcfs, priority"},
      {"array of another kind", R"({"values": 3})", "/engine/values",
       "/engine/values: got the integer 3; allowed: an array"},
      {"bad item", R"({"values": [1, "x"]})", "/engine/values/1",
       "/engine/values/1: got the string \"x\"; allowed: a number >= 0"},
      {"item out of range", R"({"values": [1, 2, -3]})", "/engine/values/2",
       "/engine/values/2: got the integer -3; allowed: a number >= 0"},
      {"object for an array", R"({"list": {}})", "/engine/list",
       "/engine/list: got an empty object; allowed: an array"},
      {"bad item of a list", R"({"list": ["a", null]})", "/engine/list/1",
       "/engine/list/1: got null; allowed: a string"},
  };
  for (const Case& c : cases) expect_refused(c, read_fields);
}

TEST(BadJson, Settings) {
  const std::vector<Case> cases = {
      {"no equals sign", "/seed", "",
       "(whole file): got the setting \"/seed\"; allowed: POINTER=VALUE, e.g. /engine/max_num_seqs=128"},
      {"no slash", "seed=2", "seed",
       "seed: got text that is not a JSON Pointer; a pointer starts with '/', e.g. /engine/max_num_seqs; write ~1 for '/' and ~0 for '~' in a key"},
      {"bad escape", "/a~2=1", "/a~2",
       "/a~2: got text that is not a JSON Pointer; a pointer starts with '/', e.g. /engine/max_num_seqs; write ~1 for '/' and ~0 for '~' in a key"},
      {"through a scalar", "/seed/x=1", "/seed",
       "/seed: got the integer 1; needed: an object or an array, to set /seed/x in it"},
      {"no such item", "/list/2=1", "/list/2",
       "/list/2: got no such item; allowed: an index from 0 to 1, or '-' to append"},
      {"index with a leading zero", "/list/01=1", "/list/01",
       "/list/01: got no such item; allowed: an index from 0 to 1, or '-' to append"},
      {"name in an array", "/list/x/y=1", "/list/x",
       "/list/x: got no such item; allowed: an index from 0 to 1, or '-' to append"},
      {"item of an empty array", "/none/0=1", "/none/0", "/none/0: got no such item; allowed: '-' to append"},
      {"duplicate key in the value", R"(/x={"a": 1, "a": 2})", "/x/a",
       "/x/a: got this key a second time; allowed: every key of an object once"},
  };
  for (const Case& c : cases) {
    expect_refused(c, [](const std::string& assignment) {
      Json scenario = parse_json(R"({"seed": 1, "list": [1, 2], "none": []})");
      apply_setting(scenario, assignment);
    });
  }
}

TEST(BadJson, RequiredFields) {
  const Json empty = Json::object();
  const auto message = [&](const std::function<void(ObjectReader&)>& use) -> std::string {
    ObjectReader reader(empty, "/slo");
    try {
      use(reader);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message([](ObjectReader& r) { r.number("a"); }), "/slo/a: got nothing; required: a number");
  EXPECT_EQ(message([](ObjectReader& r) { r.integer("a"); }), "/slo/a: got nothing; required: an integer");
  EXPECT_EQ(message([](ObjectReader& r) { r.boolean("a"); }), "/slo/a: got nothing; required: true or false");
  EXPECT_EQ(message([](ObjectReader& r) { r.string("a"); }), "/slo/a: got nothing; required: a string");
  EXPECT_EQ(message([](ObjectReader& r) { r.value("a"); }), "/slo/a: got nothing; required: a value");
  EXPECT_EQ(message([](ObjectReader& r) { r.object("a"); }), "/slo/a: got nothing; required: an object");
  EXPECT_EQ(message([](ObjectReader& r) { r.numbers("a"); }), "/slo/a: got nothing; required: an array of numbers");
  EXPECT_EQ(message([](ObjectReader& r) { r.choice("a", {"x"}); }), "/slo/a: got nothing; required: a name");
}

}  // namespace
}  // namespace brink
