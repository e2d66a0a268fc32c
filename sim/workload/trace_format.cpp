#include "sim/workload/trace_format.h"

#include "models/base/error.h"

namespace brink::workload {

namespace {

struct Entry {
  const char* name;
  std::unique_ptr<TraceFormat> (*make)();  // null: a published format that this version does not read
};

constexpr Entry formats[] = {
    {"plain", make_plain_format}, {"azure-llm", make_azure_llm_format}, {"mooncake", nullptr}, {"burstgpt", nullptr},
    {"vidur", nullptr},
};

}  // namespace

std::unique_ptr<TraceFormat> make_trace_format(const std::string& name, const std::string& pointer) {
  std::vector<std::string> supported;
  for (const Entry& entry : formats) {
    if (entry.make) supported.emplace_back(entry.name);
  }
  for (const Entry& entry : formats) {
    if (name != entry.name) continue;
    if (entry.make) return entry.make();
    throw ConfigError(pointer, "'" + name + "'", "not supported by this version; supported: plain, azure-llm");
  }
  throw ConfigError(pointer, "'" + name + "'", allowed_names(name, supported));
}

}  // namespace brink::workload
