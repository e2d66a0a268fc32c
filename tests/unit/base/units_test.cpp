#include "models/base/units.h"

#include <gtest/gtest.h>

#include <concepts>
#include <limits>

#include "models/base/ids.h"

namespace brink {
namespace {

template <class A, class B>
concept Addable = requires(A a, B b) { a + b; };
template <class A, class B>
concept Subtractable = requires(A a, B b) { a - b; };
template <class A, class B>
concept Comparable = requires(A a, B b) { a < b; };
template <class A, class B>
concept Multipliable = requires(A a, B b) { a * b; };
template <class A, class B>
concept Divisible = requires(A a, B b) { a / b; };

static_assert(Addable<Seconds, Seconds> && Subtractable<Bytes, Bytes> && Comparable<Watts, Watts>);
static_assert(!Addable<Seconds, Bytes> && !Addable<Bytes, Tokens> && !Addable<Flops, Bytes>);
static_assert(!Subtractable<Joules, Watts> && !Comparable<Seconds, Joules>);
static_assert(!Addable<Seconds, double> && !Comparable<Seconds, double>);
static_assert(!Multipliable<Seconds, Seconds> && Multipliable<Watts, Seconds>);
static_assert(!Divisible<Bytes, FlopsPerSecond> && !Divisible<Flops, BytesPerSecond>);
static_assert(!std::convertible_to<double, Seconds> && !std::convertible_to<Seconds, double>);
static_assert(!std::convertible_to<RequestId, ReplicaId> && !Comparable<RequestId, ReplicaId>);
static_assert(std::same_as<decltype(Seconds() / Seconds()), double>);

TEST(Units, RatesGiveTimes) {
  EXPECT_DOUBLE_EQ((Bytes(3.35e12) / BytesPerSecond(3.35e12)).value(), 1.0);
  EXPECT_DOUBLE_EQ((Flops(2e12) / FlopsPerSecond(1e15)).value(), 2e-3);
  EXPECT_DOUBLE_EQ((Watts(700) * Seconds(10)).value(), 7000.0);
  EXPECT_DOUBLE_EQ((BytesPerSecond(5e9) * Seconds(2)).value(), 1e10);
}

TEST(Units, NamedConstructorsScale) {
  EXPECT_DOUBLE_EQ(microseconds(250).value(), 250e-6);
  EXPECT_DOUBLE_EQ(milliseconds(1.5).value(), 1.5e-3);
  EXPECT_DOUBLE_EQ(to_ms(Seconds(0.25)), 250.0);
  EXPECT_DOUBLE_EQ(to_us(Seconds(0.25)), 250e3);
  EXPECT_DOUBLE_EQ(gib(1).value(), 1073741824.0);
  EXPECT_DOUBLE_EQ(mib(2).value(), 2097152.0);
}

TEST(Units, Arithmetic) {
  Seconds t(1.0);
  t += Seconds(2.0);
  t -= Seconds(0.5);
  t *= 4.0;
  EXPECT_EQ(t, Seconds(10.0));
  EXPECT_EQ(-t / 2.0, Seconds(-5.0));
  EXPECT_DOUBLE_EQ(t / Seconds(4.0), 2.5);
  EXPECT_LT(Seconds(1), Seconds(2));
  EXPECT_TRUE(is_finite(t));
  EXPECT_FALSE(is_finite(Seconds(std::numeric_limits<double>::infinity())));
  EXPECT_FALSE(is_finite(Bytes(std::numeric_limits<double>::quiet_NaN())));
}

}  // namespace
}  // namespace brink
