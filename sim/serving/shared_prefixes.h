// Prefixes that several decoding sequences read from the same KV blocks, as sums.
#pragma once

#include <cstdint>
#include <vector>

namespace brink::serving {

class SharedPrefixes {
 public:
  /// A sequence that reads `tokens` tokens of text `text` from shared blocks starts to decode.
  void join(std::int64_t text, std::int64_t tokens) {
    const auto i = static_cast<std::size_t>(text);
    if (i >= texts_.size()) texts_.resize(i + 1);
    Text& t = texts_[i];
    if (t.readers == 0) t.tokens = tokens;
    ++t.readers;
    if (t.readers < 2) return;
    readers_ += t.readers == 2 ? 2 : 1;
    if (t.readers == 2) add(t, 1);
  }
  void leave(std::int64_t text) {
    Text& t = texts_[static_cast<std::size_t>(text)];
    --t.readers;
    if (t.readers == 0) return;
    readers_ -= t.readers == 1 ? 2 : 1;
    if (t.readers == 1) add(t, -1);
  }

  /// Of all texts that several sequences read, one copy each.
  [[nodiscard]] std::int64_t tokens() const { return tokens_; }
  /// Sequences such a text, rounded down; 0 when nothing is shared.
  [[nodiscard]] std::int64_t sharers() const { return shared_ == 0 ? 0 : readers_ / shared_; }

 private:
  struct Text {
    std::int64_t tokens = 0, readers = 0;
  };

  void add(const Text& text, std::int64_t sign) {
    shared_ += sign;
    tokens_ += sign * text.tokens;
  }

  std::vector<Text> texts_;
  std::int64_t shared_ = 0, readers_ = 0, tokens_ = 0;
};

}  // namespace brink::serving
