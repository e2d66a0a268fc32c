#include <iterator>

#include <fmt/format.h>

#include "sim/app/facts_reading.h"
#include "sim/app/inspect.h"
#include "sim/app/inspect_fabric.h"
#include "sim/app/inspect_plans.h"

namespace brink::app {

namespace {

void layout(Out out, const Json& facts) {
  const Json& l = at(facts, "layout");
  const Json& model = at(facts, "model");
  fmt::format_to(out, "{}: {} ({:.2f} billion parameters, {}) on {}\n", text(facts, "name"), text(model, "name"),
                 static_cast<double>(integer(model, "parameters")) / 1e9, text(model, "dtype"), text(l, "cluster"));
  fmt::format_to(out, "{} of {} GPUs ({}): {} replicas of {} ranks\n", integer(l, "gpus_used"), integer(l, "gpus"),
                 text(l, "gpu"), integer(l, "replicas"), integer(l, "tensor_parallel_size"));
  constexpr std::size_t shown_max = 16;
  const auto& replicas = at(l, "placement").items();
  for (std::size_t i = 0; i < replicas.size() && i < shown_max; ++i) {
    fmt::format_to(out, "  replica {}: {} .. {}\n", i, replicas[i].items().front().as_string(), replicas[i].items().back().as_string());
  }
  if (replicas.size() > shown_max) fmt::format_to(out, "  and {} more\n", replicas.size() - shown_max);
}

void memory(Out out, const Json& facts) {
  const Json& m = at(facts, "memory_per_rank");
  fmt::format_to(out, "\nMemory of one rank (GiB): {:.2f} in all, {:.2f} for the engine\n", number(m, "total_gib"), number(m, "usable_gib"));
  for (const char* part : {"weights", "activations", "runtime", "communicators", "kv_pool", "left_over"}) {
    fmt::format_to(out, "  {:<14}{:>8.2f}\n", part, number(m, (std::string(part) + "_gib").c_str()));
  }
  fmt::format_to(out, "KV cache of a replica: {} blocks, {} tokens\n", integer(m, "kv_blocks"), integer(m, "kv_tokens"));
}

void times(Out out, const Json& facts) {
  fmt::format_to(out, "\nDecode steps (ms)\n  {:>7} {:>8} {:>9} {:>9} {:>8} {:>8}  {}\n", "batch", "context", "step", "compute", "comm", "gap", "badge");
  for (const Json& row : at(facts, "decode_steps").items()) {
    fmt::format_to(out, "  {:>7} {:>8} {:>9.3f} {:>9.3f} {:>8.3f} {:>8.3f}  {}\n", integer(row, "batch"), integer(row, "context"),
                   number(row, "step_ms"), number(row, "compute_ms"), number(row, "comm_ms"), number(row, "gap_ms"), text(row, "badge"));
  }
  fmt::format_to(out, "\nPrefill of one prompt (ms)\n");
  for (const Json& row : at(facts, "prefills").items()) {
    fmt::format_to(out, "  {:>7} tokens {:>10.3f} in {} steps  {}\n", integer(row, "tokens"), number(row, "time_ms"), integer(row, "steps"), text(row, "badge"));
  }
}

void all_reduces(Out out, const Json& facts) {
  const auto& reduces = at(facts, "all_reduce").items();
  if (!reduces.empty()) fmt::format_to(out, "\nAll-reduce by tokens in a step\n");
  for (const Json& row : reduces) {
    fmt::format_to(out, "  {:>7} tokens {:>10.0f} KiB  {}\n", integer(row, "tokens"), number(row, "message_kib"), text(row, "tactic"));
  }
}

}  // namespace

std::string inspect_text(const Json& facts) {
  std::string out = hypotheses_text(facts);
  layout(std::back_inserter(out), facts);
  memory(std::back_inserter(out), facts);
  times(std::back_inserter(out), facts);
  out += plans_text(facts);
  all_reduces(std::back_inserter(out), facts);
  return out + conditions_text(facts) + "\n" + fabric_text(facts);
}

}  // namespace brink::app
