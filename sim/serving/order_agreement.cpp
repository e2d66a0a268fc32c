#include "sim/serving/order_agreement.h"

#include "models/plan/tactic.h"

namespace brink::serving {

namespace {

constexpr std::uint64_t group_salt = 0x67726f7570ULL;

std::uint64_t nonzero(std::uint64_t key) { return key == 0 ? 1 : key; }

}  // namespace

void OrderAgreement::grow() {
  std::vector<Entry> old(table_.size() * 2);
  old.swap(table_);
  for (const Entry& entry : old) {
    if (entry.key == 0) continue;
    std::size_t i = entry.key & (table_.size() - 1);
    while (table_[i].key != 0) i = (i + 1) & (table_.size() - 1);
    table_[i] = entry;
  }
}

std::uint32_t* OrderAgreement::find(std::uint64_t key) {
  std::size_t i = key & (table_.size() - 1);
  while (table_[i].key != 0) {
    if (table_[i].key == key) return &table_[i].count;
    i = (i + 1) & (table_.size() - 1);
  }
  if (used_ >= keys_max) return nullptr;
  ++used_;
  if (2 * used_ > table_.size()) {
    grow();
    i = key & (table_.size() - 1);
    while (table_[i].key != 0) i = (i + 1) & (table_.size() - 1);
  }
  table_[i].key = key;
  return &table_[i].count;
}

bool OrderAgreement::count_group(std::uint64_t group) {
  std::uint32_t* seen = find(nonzero(plan::signature_hash(group_salt, group)));
  if (seen == nullptr) return false;
  pairs_ += (*seen)++;
  return true;
}

void OrderAgreement::observe(std::uint64_t group, std::uint64_t order) {
  if (!count_group(group)) return;
  std::uint32_t* seen = find(nonzero(plan::signature_hash(plan::signature_hash(1, group), order)));
  if (seen != nullptr) equal_pairs_ += (*seen)++;
}

void OrderAgreement::observe_unrepeatable(std::uint64_t group) { (void)count_group(group); }

}  // namespace brink::serving
