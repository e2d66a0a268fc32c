// The schema that editors use says the same as the reader: its keys, their defaults, ranges and names. Whether documents
// are valid by it is for the Python tests, which have a validator.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "models/base/error.h"
#include "sim/scenario/read_conditions.h"
#include "sim/scenario/scenario.h"
#include "tests/support/temp_path.h"
#include "tests/unit/scenario/base_scenario.h"

namespace brink::scenario {
namespace {

const Json& schema() {
  static const Json loaded = load_json(std::string(BRINK_SOURCE_DIR) + "/configs/schema/scenario.schema.json");
  return loaded;
}

/// An object of the format: its schema, where it stands in a scenario, and settings that put it there. Of several
/// variants together the keys are all that the schema lists.
struct Section {
  std::string in_schema;
  std::string at;
  std::vector<std::string> variants;  // "" or POINTER=VALUE
  bool resolved = true;               // the resolved scenario has it with its defaults
  std::vector<std::string> refused = {};  // keys the reader knows only to say that they do not belong here
};

void PrintTo(const Section& section, std::ostream* out) { *out << section.in_schema; }

std::vector<Section> engine_and_policies() {
  const std::string pools = R"(/disaggregation={"prefill": {"replicas": 1}, "decode": {"replicas": 1}})";
  const std::string transfer = R"(/disaggregation={"prefill": {"replicas": 1}, "decode": {"replicas": 1}, "transfer": {"unit": "token"}})";
  return {
      {"", "", {""}},
      {"/$defs/engine_fields", "/engine", {"/engine=null", ""}},
      {"/properties/disaggregation", "/disaggregation", {pools}},
      {"/properties/disaggregation/properties/transfer", "/disaggregation/transfer", {pools, transfer}},
      {"/properties/routing", "/routing", {""}},
      {"/properties/admission", "/admission", {""}},
      {"/$defs/control_none", "/control", {""}},
      {"/$defs/control_pang", "/control", {R"(/control={"policy": "pang"})"}},
      {"/$defs/control_aimd", "/control",
       {R"(/control={"policy": "aimd"})", R"(/control={"policy": "aimd", "target_ms": 30})", R"(/control={"policy": "aimd", "calm_ms": 20})"}},
      {"/$defs/shaping_none", "/shaping", {""}},
      {"/$defs/shaping_latency_guard", "/shaping",
       {R"(/shaping={"policy": "latency_guard", "input_tokens_max": 1000})",
        R"(/shaping={"policy": "latency_guard", "input_tokens_max": 1000, "keep": "ends", "head_tokens": 9})",
        R"(/shaping={"policy": "latency_guard", "output_tokens_max": 1000})"}},
      {"/properties/security", "/security", {R"(/security={"confidential": true})", ""}},
      {"/properties/observe", "/observe", {""}},
      {"/properties/regimes", "/regimes", {""}},
      {"/properties/drift", "/drift", {""}},
      {"/properties/slo", "/slo", {""}},
      {"/properties/measure", "/measure", {""}},
      {"/properties/output", "/output", {"/output=null"}},
  };
}

std::vector<Section> conditions_and_hypotheses() {
  std::vector<Section> out = {
      {"/$defs/condition_slow_rank", "/conditions/0", {R"({"kind": "slow_rank", "rank": 0, "factor": 1.1)", R"("period_s": 9, "duty": 0.5})"}},
      {"/$defs/condition_stall", "/conditions/0", {R"({"kind": "stall", "rank": 0, "extra_ms": 1)", R"("period_s": 9, "duty": 0.5})"}},
      {"/$defs/condition_jitter", "/conditions/0", {R"({"kind": "jitter")", R"("period_s": 9, "duty": 0.5})"}},
      {"/$defs/condition_throttle", "/conditions/0", {R"({"kind": "throttle", "rank": 0, "clock": 0.5)", ""}},
      {"/$defs/condition_gpu_spread", "/conditions/0", {R"({"kind": "gpu_spread")", ""}},
      {"/$defs/condition_replication", "/conditions/0", {R"({"kind": "replication")", R"("coordination": "budget", "budget_ratio": 0.1, "chunk_mib": 1})"}},
      {"/$defs/condition_checkpoint", "/conditions/0", {R"({"kind": "checkpoint")", R"("coordination": "budget", "budget_ratio": 0.1})"}},
      {"/$defs/condition_replica_failure", "/conditions/0", {R"({"kind": "replica_failure", "replica": 0, "from_s": 1)", ""}},
      {"/$defs/condition_node_failure", "/conditions/0", {R"({"kind": "node_failure", "node": 0, "from_s": 1)", ""}},
  };
  for (Section& section : out) {
    const std::string plain = section.variants[0], more = section.variants[1];
    section.variants = {"/conditions=[" + plain + "}]"};
    if (!more.empty()) section.variants.push_back("/conditions=[" + plain + ", " + more + "]");
  }
  out[3].variants.emplace_back(R"(/conditions=[{"kind": "throttle", "rank": 0, "power_cap_w": 400, "draw_w": 600}])");
  const std::string all = "/properties/hypotheses";
  out.push_back({all, "/hypotheses", {""}});
  for (const Json::Member& claim : schema().find("properties")->find("hypotheses")->find("properties")->members()) {
    if (claim.second.find("anyOf")->items()[1].find("properties")->members().empty()) continue;
    out.push_back({all + "/properties/" + claim.first + "/anyOf/1", "/hypotheses/" + claim.first,
                   {"/hypotheses/" + claim.first + "={}"}});
  }
  return out;
}


/// A workload stays as it was given, so it says nothing of its defaults.
Section workload(const std::string& in_schema, const std::string& at, std::vector<std::string> variants, std::vector<std::string> refused = {}) {
  return {"/$defs/" + in_schema, "/workload" + at, std::move(variants), false, std::move(refused)};
}

Section length(const std::string& kind, const std::string& law) {
  return workload("length_" + kind, "/input_tokens", {R"(/workload/input_tokens={"kind": ")" + kind + "\", " + law + "}"});
}

Section gaps(const std::string& kind, std::vector<std::string> refused) {
  const std::string law = "/workload/arrivals={\"kind\": \"" + kind + "\", ";
  return workload("arrivals_" + kind, "/arrivals", {law + "\"rate_per_s\": 1}", law + R"("stages": [{"duration_s": 1, "rate_per_s": 1}]})"},
                  std::move(refused));
}

std::vector<Section> workloads() {
  const std::string trace = R"(/workload={"trace": {"format": "plain", "path": "TRACE"}})";
  const std::string mixture = R"("components": [{"weight": 1, "length": {"kind": "fixed", "value": 1}}])";
  return {
      workload("workload_trace", "", {trace}, {"arrivals"}),
      workload("trace", "/trace", {trace}),
      workload("workload_synthetic", "", {"", R"(/workload={"arrivals": {"kind": "constant", "rate_per_s": 1}, "duration_s": 1,
               "input_tokens": {"kind": "fixed", "value": 1}, "output_tokens": {"kind": "fixed", "value": 1}})"}, {"trace"}),
      gaps("poisson", {"concurrency"}),
      gaps("gamma", {"concurrency"}),
      gaps("weibull", {"concurrency"}),
      gaps("constant", {"concurrency", "burstiness"}),
      workload("arrivals_closed_loop", "/arrivals", {R"(/workload/arrivals={"kind": "closed_loop", "concurrency": 1})"},
               {"rate_per_s", "stages", "burstiness"}),
      workload("stages/items", "/arrivals/stages/0", {R"(/workload/arrivals={"kind": "poisson", "stages": [{"duration_s": 1, "rate_per_s": 1}]})"}),
      length("fixed", R"("value": 1)"),
      length("uniform", R"("low": 1, "high": 2)"),
      length("choice", R"("values": [1], "weights": [1])"),
      length("lognormal", R"("median": 9, "sigma": 1, "max": 99)"),
      length("empirical", R"("path": "nowhere.csv")"),
      length("mixture", mixture),
      workload("length_mixture/properties/components/items", "/input_tokens/components/0",
               {R"(/workload/input_tokens={"kind": "mixture", )" + mixture + "}"}),
      workload("prompts_pool", "/prompts", {R"(/workload/prompts={"kind": "pool", "size": 3})"}),
      workload("prompts_unique", "/prompts", {R"(/workload/prompts={"kind": "unique"})"}),
      workload("tenants", "/tenants", {R"(/workload/tenants={"count": 2})", R"(/workload/tenants={"weights": [1, 2]})"}),
  };
}

const std::vector<std::string> discriminators = {"kind", "policy"};

/// A property's schema; what it refers to when it is a reference.
const Json& followed(const Json& property) {
  const Json* target = property.find("$ref");
  return target == nullptr ? property : *at_pointer(schema(), target->as_string().substr(1));
}

class Schema : public testing::TestWithParam<Section> {
 protected:
  [[nodiscard]] const Json& properties() const { return *at_pointer(schema(), GetParam().in_schema + "/properties"); }

  [[nodiscard]] Scenario read(const std::string& variant, const std::string& more = {}) const {
    std::vector<std::string> settings;
    for (const std::string& setting : {variant, more}) {
      if (setting.empty()) continue;
      settings.push_back(setting);
      const auto at = settings.back().find("TRACE");
      if (at != std::string::npos) settings.back().replace(at, 5, trace_.str());
    }
    return read_scenario(test::good_scenario(), test::base_dir, settings);
  }
  /// The error of the variant with `key` set to `value`; its pointer is empty when there is none.
  [[nodiscard]] ConfigError error_of(const std::string& variant, const std::string& key, const std::string& value) const {
    try {
      (void)read(variant, GetParam().at + "/" + key + "=" + value);
    } catch (const ConfigError& error) {
      return error;
    }
    return {"", "accepted", ""};
  }
  /// The variant that speaks of a key, else the first.
  [[nodiscard]] const std::string& variant_with(const std::string& key) const {
    for (const std::string& variant : GetParam().variants) {
      if (variant.find("\"" + key + "\"") != std::string::npos) return variant;
    }
    return GetParam().variants.front();
  }

  brink::test::TempPath trace_{"schema.csv", "arrival_s,input_tokens,output_tokens\n0,10,5\n"};
};

// What the reader lists when it refuses a key.
TEST_P(Schema, HasTheReadersKeys) {
  std::set<std::string> known, listed;
  for (const Json::Member& property : properties().members()) listed.insert(property.first);
  for (const std::string& variant : GetParam().variants) {
    const ConfigError error = error_of(variant, "zzzzzzzz", "1");
    ASSERT_EQ(error.pointer(), GetParam().at + "/zzzzzzzz") << variant;
    ASSERT_EQ(error.got(), "an unknown field");
    std::string names = error.allowed().substr(std::string("allowed: ").size()) + ", ";
    for (std::size_t from = 0, to = 0; (to = names.find(", ", from)) != std::string::npos; from = to + 2) {
      known.insert(names.substr(from, to - from));
    }
  }
  for (const std::string& key : GetParam().refused) {
    EXPECT_EQ(known.erase(key), 1U) << key;
    const ConfigError error = error_of(GetParam().variants.front(), key, "1");
    EXPECT_NE(error.got(), "accepted") << key;
  }
  EXPECT_EQ(known, listed);
}

TEST_P(Schema, HasTheReadersDefaults) {
  const Section& section = GetParam();
  if (!section.resolved) return;
  const Json full = resolved(read(section.variants.front()));
  const Json& given = *at_pointer(full, section.at);
  std::set<std::string> keys;
  for (const Json::Member& member : given.members()) keys.insert(member.first);
  for (const Json::Member& member : properties().members()) {
    const Json* fallback = member.second.find("default");
    const Json* value = given.find(member.first);
    const bool set = section.variants.front().find("\"" + member.first + "\"") != std::string::npos;
    if (fallback == nullptr || value == nullptr || set || (section.at.empty() && member.first == "seed")) continue;
    if (fallback->is_number()) {
      EXPECT_EQ(fallback->as_double(), value->as_double()) << member.first;
    } else {
      EXPECT_EQ(fallback->dump(), value->dump()) << member.first;
    }
  }
  for (const std::string& key : keys) EXPECT_NE(properties().find(key), nullptr) << key << " is resolved and not in the schema";
}

/// "allowed: a number > 0 and <= 10 (per nat)" as the reader would say it of a property.
std::string range_text(const Json& property, bool integer) {
  const auto plain = [](const Json& number) {
    std::string text = Json(number.as_double()).dump();
    return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
  };
  std::string text = integer ? "allowed: an integer" : "allowed: a number";
  const Json *low = property.find("minimum"), *above = property.find("exclusiveMinimum"), *high = property.find("maximum");
  if (low != nullptr) text += " >= " + plain(*low);
  if (above != nullptr) text += " > " + plain(*above);
  if (high != nullptr) text += std::string(low != nullptr || above != nullptr ? " and" : "") + " <= " + plain(*high);
  if (const Json* unit = property.find("unit")) text += " (" + unit->as_string() + ")";
  return text;
}

std::string type_of(const Json& property) {
  const Json* type = property.find("type");
  if (type == nullptr) return property.find("enum") != nullptr ? "enum" : "other";
  return type->is_array() ? type->items()[0].as_string() : type->as_string();
}

/// What the reader says is allowed; empty where its words are its own.
std::string wanted_text(const Json& property, const std::string& type) {
  if (type == "number" || type == "integer") return range_text(property, type == "integer");
  if (type == "boolean") return "allowed: true or false";
  if (type == "array") return "allowed: an array";
  if (type != "enum" || !property.find("enum")->items()[0].is_string()) return {};
  std::vector<std::string> names;
  for (const Json& name : property.find("enum")->items()) names.push_back(name.as_string());
  return allowed_names("zzzz", names);
}

TEST_P(Schema, HasTheReadersRangesAndNames) {
  for (const Json::Member& member : properties().members()) {
    const auto& [key, unresolved] = member;
    const Json& property = followed(unresolved);
    const std::string type = type_of(property);
    if (std::find(discriminators.begin(), discriminators.end(), key) != discriminators.end() && property.find("enum") == nullptr) continue;
    if (key == "name" || key == "source" || key == "provenance") continue;  // for people, or checked by its own test
    const ConfigError error = error_of(variant_with(key), key, type == "enum" || type == "number" || type == "integer" ? "zzzz" : "3");
    EXPECT_EQ(error.pointer(), GetParam().at + "/" + key) << error.what();
    EXPECT_NE(error.got(), "an unknown field") << key;
    const std::string wanted = wanted_text(property, type);
    EXPECT_EQ(wanted.empty() ? wanted : error.allowed(), wanted) << key;
  }
}

INSTANTIATE_TEST_SUITE_P(EngineAndPolicies, Schema, testing::ValuesIn(engine_and_policies()));
INSTANTIATE_TEST_SUITE_P(Conditions, Schema, testing::ValuesIn(conditions_and_hypotheses()));
INSTANTIATE_TEST_SUITE_P(Workloads, Schema, testing::ValuesIn(workloads()));

TEST(SchemaKinds, AreThoseOfTheTables) {
  const auto names = [](const char* pointer) {
    std::vector<std::string> out;
    for (const Json& name : at_pointer(schema(), pointer)->items()) out.push_back(name.as_string());
    return out;
  };
  EXPECT_EQ(names("/properties/conditions/items/properties/kind/enum"), condition_kinds());
  EXPECT_EQ(names("/properties/control/properties/policy/enum"), policy::controller_names());
  EXPECT_EQ(names("/properties/shaping/properties/policy/enum"), policy::shaper_names());
}

}  // namespace
}  // namespace brink::scenario
