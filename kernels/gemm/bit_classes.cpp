#include "kernels/gemm/bit_classes.h"

#include <algorithm>
#include <cstdio>

#include "kernels/gemm/run_length.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {

namespace {

/// Position of `value` in `seen`, appended if it is new.
template <typename T>
std::int64_t index_of(std::vector<T>& seen, const T& value) {
  const auto at = std::find(seen.begin(), seen.end(), value);
  if (at != seen.end()) return at - seen.begin();
  seen.push_back(value);
  return static_cast<std::int64_t>(seen.size()) - 1;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text = "[";
  for (std::size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? "" : ",") + parts[i];
  return text + "]";
}

std::string numbers(const std::vector<std::int64_t>& values) {
  std::vector<std::string> parts;
  for (const auto value : values) parts.push_back(std::to_string(value));
  return joined(parts);
}

JsonObject class_json(const RowSignature& row, std::int64_t n) {
  char hash[20];
  std::snprintf(hash, sizeof(hash), "%016llx", row.hash);
  JsonObject json;
  json.set("hash", hash).set("changed", static_cast<double>(row.changed) / static_cast<double>(n));
  json.set("ulps", row.changed == 0 ? 0.0 : static_cast<double>(row.ulp_total) / static_cast<double>(row.changed));
  return json.set("delta_max", static_cast<double>(float_of_bits(row.delta_max_bits)));
}

void require_sound(const RowAt& at, std::int64_t m, const RowSignature& alone) {
  const std::string where = "row 0 among " + std::to_string(m) + " rows";
  if (at.row.poisoned != 0) {
    throw WrongResult(where + ": " + std::to_string(at.row.poisoned) + " elements were not written");
  }
  // The hash and the element count are independent of each other: they must agree.
  if ((at.row.hash == alone.hash) != (at.row.changed == 0)) {
    throw WrongResult(where + ": hash and compared elements disagree on whether the bits are those of 1 row");
  }
}

}  // namespace

JsonObject bit_class_map(const std::vector<RowAt>& rows, std::int64_t n) {
  std::vector<std::string> tactics;
  std::vector<unsigned long long> hashes;
  std::vector<std::string> classes;
  std::vector<std::vector<std::int64_t>> sequence;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const RowAt& at = rows[i];
    std::int64_t bit_class = -1;
    if (at.tactic.id >= 0) {
      require_sound(at, static_cast<std::int64_t>(i) + 1, rows.front().row);
      bit_class = index_of(hashes, at.row.hash);
      if (bit_class == static_cast<std::int64_t>(classes.size())) classes.push_back(class_json(at.row, n).text());
    }
    sequence.push_back({index_of(tactics, tactic_name(at.tactic)), bit_class});
  }
  std::vector<std::string> runs;
  for (const Run& run : run_lengths(sequence, 1)) {
    const auto& value = sequence[run.value_at];
    runs.push_back(numbers({run.first, run.last, value[0], value[1]}));
  }
  JsonObject json;
  json.set_raw("runs", joined(runs)).set("tactics", tactics);
  return json.set_raw("classes", joined(classes));
}

JsonObject tactic_map(const std::vector<Tactic>& tactics) {
  std::vector<std::string> names;
  std::vector<std::string> full;
  std::vector<std::string> runs;
  for (const Run& run : run_lengths(tactics, 1)) {
    const Tactic& tactic = tactics[run.value_at];
    const std::int64_t at = index_of(names, tactic_name(tactic));
    if (at == static_cast<std::int64_t>(full.size())) full.push_back(tactic_json(tactic).text());
    runs.push_back(numbers({run.first, run.last, at}));
  }
  JsonObject json;
  return json.set_raw("runs", joined(runs)).set_raw("tactics", joined(full));
}

}  // namespace brink::kernels
