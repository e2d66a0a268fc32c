#include "calibrate/microkernel/diff.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "models/cost/kernel_profile.h"
#include "models/cost/significant.h"

namespace brink::calibrate {
namespace {

using cost::KernelProfile;
using Probe = std::function<Seconds(const KernelProfile&)>;

constexpr double kUnchanged = 5e-5;  // below what a profile stores

struct Family {
  std::string group, what;
  std::vector<Probe> probes;
};

Family gemm_family(const std::string& what, cost::GemmType type, const std::vector<std::int64_t>& rows) {
  Family family{"gemm", what, {}};
  for (const std::int64_t m : rows)
    for (const std::int64_t n : {1024, 4096, 8192, 16384, 28672})
      for (const std::int64_t k : {1024, 4096, 8192, 14336})
        family.probes.push_back([m, n, k, type](const KernelProfile& p) { return p.gemm(m, n, k, type).time; });
  return family;
}

Family decode_family(const std::string& what, std::int64_t kv_heads, const std::vector<std::int64_t>& batches) {
  Family family{"decode_attention", what, {}};
  for (const std::int64_t batch : batches)
    for (const std::int64_t context : {512, 2048, 8192, 32768})
      family.probes.push_back([=](const KernelProfile& p) {
        const cost::DecodeWork work{batch, Tokens(static_cast<double>(batch * context))};
        return p.decode_attention(work, {4 * kv_heads, kv_heads, 128}, cost::KvType::bf16).time;
      });
  return family;
}

Family prefill_family() {
  Family family{"prefill_attention", "128 to 8192 tokens, 32 heads", {}};
  for (const std::int64_t tokens : {128, 512, 2048, 8192})
    family.probes.push_back([tokens](const KernelProfile& p) { return p.prefill_attention(cost::PrefillWork::chunk(tokens), {32, 8, 128}, cost::KvType::bf16).time; });
  return family;
}

Family collective_family(cost::CollectiveBackend backend, std::int64_t gpus) {
  Family family{"collectives", fmt::format("all_reduce {}, {} GPUs, 8 KiB to 4 MiB", cost::name(backend), gpus), {}};
  for (double bytes = 8192; bytes <= 4194304; bytes *= 4)
    family.probes.push_back([=](const KernelProfile& p) { return p.all_reduce(backend, gpus, Bytes(bytes)).time; });
  return family;
}

std::vector<Family> families() {
  std::vector<Family> all{gemm_family("bf16, decode rows (m <= 64)", cost::GemmType::bf16, {1, 8, 16, 32, 64}),
                          gemm_family("bf16, mixed rows (96 to 512)", cost::GemmType::bf16, {96, 160, 256, 512}),
                          gemm_family("bf16, prefill rows (1024 up)", cost::GemmType::bf16, {1024, 2048, 8192}),
                          gemm_family("fp8, decode rows (m <= 64)", cost::GemmType::fp8, {1, 8, 16, 32, 64}),
                          gemm_family("fp8, prefill rows (1024 up)", cost::GemmType::fp8, {1024, 2048, 8192}),
                          decode_family("8 KV heads, batch 1 to 16", 8, {1, 4, 16}),
                          decode_family("8 KV heads, batch 64 to 256", 8, {64, 128, 256}),
                          decode_family("1 KV head, batch 1 to 256", 1, {1, 16, 256}),
                          prefill_family()};
  for (const auto backend : {cost::CollectiveBackend::custom_graph, cost::CollectiveBackend::nccl})
    for (const std::int64_t gpus : {2, 8}) all.push_back(collective_family(backend, gpus));
  all.push_back({"elementwise", "16 KiB to 256 MiB", {}});
  for (double bytes = 16384; bytes <= 268435456; bytes *= 16) all.back().probes.push_back([bytes](const KernelProfile& p) { return p.elementwise(Bytes(bytes), 1).time; });
  return all;
}

/// Geometric means over the probes that both answer.
std::optional<ProfileChange> compare(const Family& family, const KernelProfile& before, const KernelProfile& after) {
  ProfileChange change{family.group, family.what, {}, {}, 0.0, 0.0, ""};
  double logs = 0.0, before_logs = 0.0;
  for (const Probe& probe : family.probes) {
    try {
      const double a = probe(before).value(), b = probe(after).value();
      logs += std::log(b / a);
      before_logs += std::log(a);
      change.worst = std::max(change.worst, std::abs(b / a - 1.0));
    } catch (const Error&) {
      return std::nullopt;  // one of the two has no such curve
    }
  }
  if (change.worst < kUnchanged) return std::nullopt;
  const double count = static_cast<double>(family.probes.size());
  change.before = std::exp(before_logs / count) * 1e6;
  change.after = *change.before * std::exp(logs / count);
  change.change = std::exp(logs / count) - 1.0;
  change.note = fmt::format("us, geometric mean of {} probes", family.probes.size());
  return change;
}

using Numbers = std::vector<std::pair<std::string, double>>;

void collect(const Json& json, const std::string& path, Numbers& out) {
  if (json.is_number()) out.emplace_back(path, json.as_double());
  for (const auto& [name, value] : json.members()) collect(value, path.empty() ? name : path + "." + name, out);
  if (json.is_array()) {
    for (std::size_t i = 0; i < json.items().size(); ++i) {
      const Json& item = json.items()[i];
      const Json* name = item.find("name") != nullptr ? item.find("name") : item.find("load") != nullptr ? item.find("load") : item.find("copy");
      collect(item, fmt::format("{}[{}]", path, name != nullptr && name->is_string() ? name->as_string() : std::to_string(i)), out);
    }
  }
}

/// Numbers of a small section, one by one.
void compare_numbers(const std::string& group, const Json* before, const Json* after, std::vector<ProfileChange>& out) {
  Numbers a, b;
  if (before != nullptr) collect(*before, "", a);
  if (after != nullptr) collect(*after, "", b);
  const auto find = [](const Numbers& numbers, const std::string& name) {
    const auto found = std::find_if(numbers.begin(), numbers.end(), [&](const auto& entry) { return entry.first == name; });
    return found == numbers.end() ? std::nullopt : std::optional(found->second);
  };
  for (const auto& [name, value] : a) {
    const auto other = find(b, name);
    if (!other) {
      out.push_back({group, name, value, {}, 0.0, 0.0, "gone"});
    } else if (std::abs(*other - value) > kUnchanged * std::max(std::abs(value), std::abs(*other))) {
      const double change = value != 0.0 ? *other / value - 1.0 : 0.0;
      out.push_back({group, name, value, *other, change, std::abs(change), ""});
    }
  }
  for (const auto& [name, value] : b)
    if (!find(a, name)) out.push_back({group, name, {}, value, 0.0, 0.0, "new"});
}

/// Shares of row counts whose tactic or bits changed, over the tables both have.
void compare_tactics(const cost::GemmTactics& before, const cost::GemmTactics& after, std::vector<ProfileChange>& out) {
  double asked = 0.0, moved = 0.0, hashed = 0.0, other_bits = 0.0, common = 0.0;
  for (const cost::GemmTacticTable& a : before.tables) {
    const cost::GemmTacticTable* b = after.find(a.type, a.n, a.k, a.workspace);
    if (b == nullptr) continue;
    common += 1.0;
    for (std::int64_t m = 1; m <= 512; ++m) {
      const auto ta = a.tactic(m), tb = b->tactic(m);
      if (ta && tb) {
        asked += 1.0;
        moved += before.names[*ta] != after.names[*tb] ? 1.0 : 0.0;
      }
      // Class numbers are local to a table: what can be compared is whether m has the bits of m = 1.
      const auto ba = a.bits(m), bb = b->bits(m);
      if (ba && bb) {
        hashed += 1.0;
        other_bits += (*ba == 0) != (*bb == 0) ? 1.0 : 0.0;
      }
    }
  }
  if (before.tables.size() != after.tables.size() || common < static_cast<double>(before.tables.size()))
    out.push_back({"tactics", "tables", static_cast<double>(before.tables.size()), static_cast<double>(after.tables.size()), 0.0, 0.0, fmt::format("{:.0f} in both", common)});
  if (moved > 0.0) out.push_back({"tactics", "chosen tactic", {}, {}, moved / asked, moved / asked, fmt::format("{:.0f} of {:.0f} (shape, workspace, m)", moved, asked)});
  if (other_bits > 0.0)
    out.push_back({"tactics", "same bits as one row", {}, {}, other_bits / hashed, other_bits / hashed, fmt::format("{:.0f} of {:.0f} (shape, workspace, m)", other_bits, hashed)});
  if (before.library != after.library) out.push_back({"tactics", "library", {}, {}, 0.0, 0.0, before.library + " -> " + after.library});
}

}  // namespace

std::vector<ProfileChange> diff_profiles(const Json& before, const Json& after) {
  const KernelProfile a = KernelProfile::from_json(before), b = KernelProfile::from_json(after);
  std::vector<ProfileChange> out;
  if (a.gpu().name != b.gpu().name) out.push_back({"gpu", "name", {}, {}, 0.0, 0.0, a.gpu().name + " -> " + b.gpu().name});
  compare_numbers("gpu", before.find("gpu"), after.find("gpu"), out);
  for (const Family& family : families())
    if (auto change = compare(family, a, b)) out.push_back(std::move(*change));
  if (a.tactics() != nullptr && b.tactics() != nullptr) compare_tactics(*a.tactics(), *b.tactics(), out);
  else if (a.tactics() != b.tactics()) out.push_back({"tactics", "section", {}, {}, 0.0, 0.0, b.tactics() != nullptr ? "new" : "gone"});
  for (const char* group : {"memory", "launch", "contention", "drift", "in_situ", "host"}) compare_numbers(group, before.find(group), after.find(group), out);
  return out;
}

Json to_json(const std::vector<ProfileChange>& changes) {
  Json list = Json::array();
  for (const ProfileChange& change : changes) {
    Json& item = list.push_back(Json::object());
    item.set("group", change.group);
    item.set("what", change.what);
    item.set("before", change.before ? Json(cost::round_significant(*change.before)) : Json());
    item.set("after", change.after ? Json(cost::round_significant(*change.after)) : Json());
    item.set("change", cost::round_significant(change.change, 4));
    item.set("worst", cost::round_significant(change.worst, 4));
    item.set("note", change.note);
  }
  return list;
}

std::string to_text(const std::vector<ProfileChange>& changes) {
  if (changes.empty()) return "no change\n";
  std::string text = fmt::format("{:<18} {:<44} {:>12} {:>12} {:>9}  {}\n", "group", "what", "before", "after", "change %", "note");
  const auto number = [](const std::optional<double>& value) { return value ? fmt::format("{:.5g}", *value) : std::string("-"); };
  for (const ProfileChange& change : changes)
    text += fmt::format("{:<18} {:<44} {:>12} {:>12} {:>9.2f}  {}\n", change.group, change.what, number(change.before), number(change.after), 100 * change.change, change.note);
  return text;
}

}  // namespace brink::calibrate
