// Strong units: a number that knows what it measures. Mixing units does not compile; a
// raw double is reached only through `.value()`, which names the unit in the type.
#pragma once

#include <cmath>
#include <compare>

namespace brink {

template <class Unit>
class Quantity {
 public:
  constexpr Quantity() = default;
  explicit constexpr Quantity(double value) : value_(value) {}

  [[nodiscard]] constexpr double value() const { return value_; }

  constexpr auto operator<=>(const Quantity&) const = default;

  constexpr Quantity& operator+=(Quantity other) { value_ += other.value_; return *this; }
  constexpr Quantity& operator-=(Quantity other) { value_ -= other.value_; return *this; }
  constexpr Quantity& operator*=(double factor) { value_ *= factor; return *this; }

  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.value_ + b.value_); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.value_ - b.value_); }
  friend constexpr Quantity operator-(Quantity a) { return Quantity(-a.value_); }
  friend constexpr Quantity operator*(Quantity a, double k) { return Quantity(a.value_ * k); }
  friend constexpr Quantity operator*(double k, Quantity a) { return Quantity(k * a.value_); }
  friend constexpr Quantity operator/(Quantity a, double k) { return Quantity(a.value_ / k); }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.value_ / b.value_; }

 private:
  double value_ = 0.0;
};

template <class Unit>
[[nodiscard]] inline bool is_finite(Quantity<Unit> q) { return std::isfinite(q.value()); }

using Seconds = Quantity<struct SecondsTag>;
using Bytes = Quantity<struct BytesTag>;
using Flops = Quantity<struct FlopsTag>;
using Tokens = Quantity<struct TokensTag>;
using Watts = Quantity<struct WattsTag>;
using Joules = Quantity<struct JoulesTag>;
using Hertz = Quantity<struct HertzTag>;
using BytesPerSecond = Quantity<struct BytesPerSecondTag>;
using FlopsPerSecond = Quantity<struct FlopsPerSecondTag>;
using RequestsPerSecond = Quantity<struct RequestsPerSecondTag>;

constexpr Seconds operator/(Bytes b, BytesPerSecond r) { return Seconds(b.value() / r.value()); }
constexpr Seconds operator/(Flops f, FlopsPerSecond r) { return Seconds(f.value() / r.value()); }
constexpr Joules operator*(Watts w, Seconds s) { return Joules(w.value() * s.value()); }
constexpr Bytes operator*(BytesPerSecond r, Seconds s) { return Bytes(r.value() * s.value()); }

constexpr Seconds microseconds(double us) { return Seconds(us * 1e-6); }
constexpr Seconds milliseconds(double ms) { return Seconds(ms * 1e-3); }
constexpr double to_ms(Seconds s) { return s.value() * 1e3; }
constexpr double to_us(Seconds s) { return s.value() * 1e6; }
constexpr Bytes gib(double n) { return Bytes(n * 1073741824.0); }
constexpr Bytes mib(double n) { return Bytes(n * 1048576.0); }

}  // namespace brink
