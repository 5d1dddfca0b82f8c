#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <deque>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <tuple>
#include <unordered_map>
#include <variant>

#include "support.hpp"

namespace poolproof::testing {

struct Job {
  std::string path;
  int width;
  friend bool operator==(const Job&, const Job&) = default;
};

enum class Colour : std::uint8_t { red, green };

/// Everything that a struct may have.
struct Plan {
  Job first;
  std::vector<Job> jobs;
  std::map<std::string, Job> by_name;
  std::optional<Job> maybe;
  std::optional<int> number;
  std::variant<int, std::string, Job> either;
  std::tuple<int, Job> both;
  std::pair<Colour, bool> pair;
  std::array<double, 3> triple;
  std::filesystem::path path;
  std::chrono::milliseconds patience;
  std::set<int> set;
  friend bool operator==(const Plan&, const Plan&) = default;
};

struct Large {
  int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x;
  friend bool operator==(const Large&, const Large&) = default;
};

struct Empty {
  friend bool operator==(const Empty&, const Empty&) = default;
};

struct Owner {
  std::unique_ptr<Job> job;
};

/// Of somebody else's library, which knows nothing of serialization.
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::vector<double> values) : rows_(rows), values_(std::move(values)) {}
  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] const std::vector<double>& values() const { return values_; }
  friend bool operator==(const Matrix&, const Matrix&) = default;

 private:
  std::size_t rows_ = 0;
  std::vector<double> values_;
};

/// A plain struct whose author has said how it crosses: all but `cache`.
struct Chosen {
  int number = 0;
  int cache = 0;
};
template <class Archive>
void serialize(Archive& archive, Chosen& chosen) {
  archive(chosen.number);
}

/// Can be read in one of the processes only: another than this.
struct Refusing {
  pid_t reader = 0;
};

struct WithC {
  int numbers[3];
};
struct Derived : Job {
  int more;
};

}  // namespace poolproof::testing

template <>
struct poolproof::Codec<poolproof::testing::Matrix> {
  static void write(Writer& out, const testing::Matrix& m) { out(m.rows(), m.values()); }
  static testing::Matrix read(Reader& in) {
    const auto rows = in.read<std::size_t>();
    return {rows, in.read<std::vector<double>>()};
  }
};

template <>
struct poolproof::Codec<poolproof::testing::Refusing> {
  static void write(Writer& out, const testing::Refusing& value) { out(value.reader); }
  static testing::Refusing read(Reader& in) {
    const auto reader = in.read<pid_t>();
    if (reader != 0 && reader != ::getpid()) throw std::range_error("not here");
    return {reader};
  }
};

namespace poolproof::testing {
namespace {

template <class T>
T same(T value) {
  return value;
}

template <class T>
void expect_to_cross(const T& value) {
  Pool pool{{.workers = 1}};
  EXPECT_TRUE(pool.apply<&same<T>>(value) == value) << typeid(T).name();
}

Plan plan() {
  const Job job{"a.png", 3};
  return {job,
          {job, job},
          {{"x", job}},
          job,
          std::nullopt,
          job,
          {1, job},
          {Colour::green, true},
          {1, 2, 3},
          "/a/b",
          std::chrono::milliseconds(5),
          {3, 1}};
}

TEST(Codec, PlainStructsCrossWithoutCode) {
  expect_to_cross(Job{"a.png", 640});
  expect_to_cross(plan());
  expect_to_cross(std::vector<Plan>{plan(), plan()});
  expect_to_cross(Empty{});
  Large large{};
  large.x = 7;
  expect_to_cross(large);
  Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.apply([](const Owner& owner) { return *owner.job; },
                       Owner{std::make_unique<Job>(Job{"b", 2})}),
            (Job{"b", 2}));
}

TEST(Codec, StandardTypesCross) {
  using namespace std::chrono;
  expect_to_cross(std::filesystem::path("/tmp/a b"));
  expect_to_cross(Colour::green);
  expect_to_cross(std::bitset<9>(5));
  expect_to_cross(std::complex<double>(1, 2));
  expect_to_cross(std::deque<std::string>{"a", "b"});
  expect_to_cross(std::unordered_map<std::string, std::vector<int>>{{"a", {1, 2}}});
  expect_to_cross(std::vector<bool>{true, false});
  expect_to_cross(system_clock::time_point(seconds(5)));
  expect_to_cross(std::wstring(L"wide"));
  expect_to_cross(std::variant<std::monostate, int>());
  expect_to_cross(std::optional<std::vector<Job>>({Job{"a", 1}}));
}

TEST(Codec, ATypeOfSomebodyElsesCrossesByItsCodec) {
  expect_to_cross(Matrix(2, {1, 2, 3, 4}));
  expect_to_cross(std::vector<Matrix>{Matrix(1, {1}), Matrix()});
}

TEST(Codec, WhatAnAuthorHasSaidGoesBeforeMembers) {
  Pool pool{{.workers = 1}};
  const Chosen chosen = pool.apply<&same<Chosen>>(Chosen{1, 2});
  EXPECT_EQ(chosen.number, 1);
  EXPECT_EQ(chosen.cache, 0);
}

TEST(Codec, KnowsWhatItCannotTakeApart) {
  static_assert(detail::PlainAggregate<Job>);
  static_assert(detail::count_initializers<Large>() == detail::kMaxMembers);
  static_assert(!detail::PlainAggregate<WithC>, "two members or one?");
  static_assert(!detail::PlainAggregate<Derived>);
  static_assert(!detail::Crosses<WithC>);
  static_assert(!detail::Crosses<Derived>);
  static_assert(!detail::Crosses<std::string_view>);
}

/// What `call` throws, and its cause.
struct Node {
  int number = 0;
  std::unique_ptr<Node> next;
};
int length_of(const Node& first) {
  return first.next ? 1 + length_of(*first.next) : 1;
}
/// Made by cereal, in the way that its author has said.
class Made {
 public:
  explicit Made(int number) : number_(number) {}
  [[nodiscard]] int number() const { return number_; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number_);
  }
  template <class Archive>
  static void load_and_construct(Archive& archive, cereal::construct<Made>& construct) {
    int number = 0;
    archive(number);
    construct(number);
  }

 private:
  int number_;
};

TEST(Codec, WhatAPointerOwnsCrosses) {
  Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.apply<&length_of>(Node{1, std::make_unique<Node>()}), 2);
  const auto number_of = [](const std::unique_ptr<Made>& made) { return made->number(); };
  EXPECT_EQ(pool.apply(number_of, std::make_unique<Made>(7)), 7);
  const auto size_of = [](const std::shared_ptr<const std::string>& text) { return text->size(); };
  EXPECT_EQ(pool.apply(size_of, std::make_shared<const std::string>("four")), 4U);
}

template <class Call>
void expect_unreadable(const char* what, Call call) {
  try {
    call();
    FAIL() << "nothing thrown";
  } catch (const Error& error) {
    const std::string type = "poolproof::testing::Refusing, cannot be read: not here";
    EXPECT_EQ(error.what(), "poolproof: " + std::string(what) + ", of type " + type);
    EXPECT_THROW(std::rethrow_if_nested(error), std::range_error);
  }
}

TEST(Codec, SaysWhichArgumentOrResultCannotBeRead) {
  Pool pool{{.workers = 1}};
  const Refusing here{::getpid()};
  const auto take = [](int, const Refusing&) {};
  expect_unreadable("argument 2", [&] { pool.apply(take, 1, here); });
  const auto give = [](int) { return Refusing{::getpid()}; };
  expect_unreadable("the result", [&] { pool.apply(give, 1); });
  expect_unreadable("the result", [&] { pool.map(give, std::vector<int>{1, 2}); });
  expect_unreadable("the result", [&] { pool.imap(give, std::vector<int>{1}).next(); });
  EXPECT_NO_THROW(pool.apply(take, 1, Refusing()));
}

TEST(Codec, ViewsOfTextAreKeptAsText) {
  Pool pool{{.workers = 1}};
  EXPECT_EQ(pool.apply([](std::string_view text) { return text.size(); }, "four"), 4U);
}

}  // namespace
}  // namespace poolproof::testing
