#include "sim/workload/length.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/base/object_reader.h"
#include "sim/workload/csv.h"

namespace brink::workload {

namespace {

const Range token_range = Range{1.0, static_cast<double>(request_tokens_max), false, "tokens"};

class FixedLength final : public Length {
 public:
  explicit FixedLength(ObjectReader& in) : value_(in.integer("value", token_range)) {}
  std::int64_t tokens(const RandomStream&, StreamKey, std::uint32_t) const override { return value_; }

 private:
  std::int64_t value_;
};

class UniformLength final : public Length {
 public:
  explicit UniformLength(ObjectReader& in)
      : low_(in.integer("low", token_range)), high_(in.integer("high", token_range)) {
    if (high_ < low_) {
      throw in.error("high", "the integer " + std::to_string(high_), "at least low = " + std::to_string(low_));
    }
  }
  std::int64_t tokens(const RandomStream& stream, StreamKey key, std::uint32_t draw) const override {
    const auto values = static_cast<std::uint64_t>(high_ - low_) + 1;
    return low_ + static_cast<std::int64_t>(stream.below(values, key, draw));
  }

 private:
  std::int64_t low_, high_;
};

/// Index of a weighted choice by one uniform draw.
class Weights {
 public:
  void add(double weight) { cumulative_.push_back((cumulative_.empty() ? 0.0 : cumulative_.back()) + weight); }
  [[nodiscard]] double total() const { return cumulative_.empty() ? 0.0 : cumulative_.back(); }
  [[nodiscard]] std::size_t pick(double uniform) const {
    const auto it = std::upper_bound(cumulative_.begin(), cumulative_.end(), uniform * total());
    return std::min(static_cast<std::size_t>(it - cumulative_.begin()), cumulative_.size() - 1);
  }

 private:
  std::vector<double> cumulative_;
};

/// Weights are relative: their sum is free, but something must be likely.
const Range weight_range = Range{0.0, 1e12, false, {}};

void require_some_weight(const ObjectReader& in, const char* key, const Weights& weights) {
  if (weights.total() <= 0.0) throw in.error(key, "weights that sum to 0", "at least one weight above 0");
}

class ChoiceLength final : public Length {
 public:
  explicit ChoiceLength(ObjectReader& in) {
    in.each("values", [&](const Json& value, const std::string& at) {
      values_.push_back(checked_integer(value, at, token_range));
    });
    if (values_.empty()) throw in.error("values", "no values", "an array of at least one number of tokens");
    const std::vector<double> weights =
        in.has("weights") ? in.numbers("weights", weight_range) : std::vector<double>(values_.size(), 1.0);
    if (weights.size() != values_.size()) {
      throw in.error("weights", std::to_string(weights.size()) + " weights",
                     "one for each of the " + std::to_string(values_.size()) + " values");
    }
    for (const double weight : weights) weights_.add(weight);
    require_some_weight(in, "weights", weights_);
  }
  std::int64_t tokens(const RandomStream& stream, StreamKey key, std::uint32_t draw) const override {
    return values_[weights_.pick(stream.uniform(key, draw))];
  }

 private:
  std::vector<std::int64_t> values_;
  Weights weights_;
};

class LognormalLength final : public Length {
 public:
  explicit LognormalLength(ObjectReader& in)
      : median_(in.number("median", token_range)),
        sigma_(in.number("sigma", Range{0.0, 10.0, false, {}})),
        max_(in.integer_or("max", request_tokens_max, token_range)) {
    if (static_cast<double>(max_) < median_) {
      throw in.error("max", "the integer " + std::to_string(max_), "at least the median");
    }
  }
  /// Rounded to the nearest token and cut to [1, max].
  std::int64_t tokens(const RandomStream& stream, StreamKey key, std::uint32_t draw) const override {
    const double drawn = std::round(median_ * std::exp(sigma_ * stream.normal(key, draw)));
    return static_cast<std::int64_t>(std::clamp(drawn, 1.0, static_cast<double>(max_)));
  }

 private:
  double median_, sigma_;
  std::int64_t max_;
};

class MixtureLength final : public Length {
 public:
  explicit MixtureLength(ObjectReader& in) {
    in.each("components", [&](const Json& component, const std::string& at) { add(component, at); });
    if (components_.empty()) {
      throw in.error("components", "no components", "an array of at least one {\"weight\", \"length\"}");
    }
    require_some_weight(in, "components", weights_);
  }
  std::int64_t tokens(const RandomStream& stream, StreamKey key, std::uint32_t draw) const override {
    return components_[weights_.pick(stream.uniform(key, draw))]->tokens(stream, key, draw + 1);
  }

 private:
  void add(const Json& component, const std::string& at) {
    ObjectReader in(component, at);
    weights_.add(in.number("weight", weight_range));
    components_.push_back(make_length(in.value("length"), in.pointer_to("length")));
    in.finish();
  }

  std::vector<std::unique_ptr<Length>> components_;
  Weights weights_;
};

template <class Kind>
std::unique_ptr<Length> make(ObjectReader& in) {
  auto length = std::make_unique<Kind>(in);
  in.finish();
  return length;
}

}  // namespace

std::unique_ptr<Length> make_length(const Json& description, const std::string& pointer) {
  ObjectReader in(description, pointer);
  const std::string kind = in.choice("kind", {"fixed", "uniform", "choice", "lognormal", "mixture", "empirical"});
  if (kind == "fixed") return make<FixedLength>(in);
  if (kind == "uniform") return make<UniformLength>(in);
  if (kind == "choice") return make<ChoiceLength>(in);
  if (kind == "lognormal") return make<LognormalLength>(in);
  if (kind == "mixture") return make<MixtureLength>(in);
  throw in.error("kind", "'empirical'", "empirical lengths stand alone, not inside a mixture");
}

}  // namespace brink::workload
