#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <ios>
#include <regex>
#include <system_error>
#include <variant>

#include "support.hpp"

namespace poolproof::testing {
namespace {

struct Unheard : std::runtime_error {
  Unheard(int a, int b) : std::runtime_error(std::to_string(a + b)) {}
};

struct DiskFull : std::exception {
  DiskFull() = default;
  DiskFull(std::string where, int bytes) : path(std::move(where)), missing(bytes) {
    text = "no room on " + path;
  }
  [[nodiscard]] const char* what() const noexcept override { return text.c_str(); }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(path, missing, text);
  }
  std::string path;
  int missing = 0;
  std::string text;
};

struct ByText : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Code {
  int number;
  std::string text;
};

enum class Level { low, high };

struct Picky : std::runtime_error {
  explicit Picky(const std::string& text) : std::runtime_error(text) {
    if (main_process == ::getpid()) throw std::logic_error("not here");
  }
  static inline pid_t main_process = 0;
};

/// Says all by its type.
struct Wordless {
  template <class Archive>
  void serialize(Archive&) {}
};

struct Unwritable : std::runtime_error {
  Unwritable() : std::runtime_error("") {}
  using std::runtime_error::runtime_error;
  template <class Archive>
  void save(Archive&) const {
    throw std::logic_error("cannot be saved");
  }
  template <class Archive>
  void load(Archive&) {}
};

[[maybe_unused]] const bool registered = register_error<DiskFull>() && register_error<ByText>() &&
                                         register_error<Code>() && register_error<Level>() &&
                                         register_error<Picky>() && register_error<Wordless>() &&
                                         register_error<Unwritable>();

template <class E>
void throw_it(std::string text) {
  throw E(text);
}

template <class E>
void expect_rebuilt(Pool& pool) {
  try {
    pool.apply<&throw_it<E>>("the text");
    FAIL() << "nothing thrown";
  } catch (const E& error) {
    EXPECT_STREQ(error.what(), "the text");
  }
}

TEST(Errors, StandardTypesComeBackAsThemselves) {
  Pool pool{{.workers = 1}};
  expect_rebuilt<std::runtime_error>(pool);
  expect_rebuilt<std::range_error>(pool);
  expect_rebuilt<std::overflow_error>(pool);
  expect_rebuilt<std::underflow_error>(pool);
  expect_rebuilt<std::logic_error>(pool);
  expect_rebuilt<std::invalid_argument>(pool);
  expect_rebuilt<std::domain_error>(pool);
  expect_rebuilt<std::length_error>(pool);
  expect_rebuilt<std::out_of_range>(pool);
  EXPECT_THROW(pool.apply([] { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_THROW(pool.apply([] { throw std::bad_variant_access(); }), std::bad_variant_access);
}

template <class E>
void expect_remote(Pool& pool) {
  const auto future = pool.apply_async<&throw_it<E>>("of a pool in the task");
  try {
    future.get(std::chrono::seconds(10));
    FAIL() << "nothing thrown";
  } catch (const RemoteError& error) {
    EXPECT_STREQ(error.what(), "of a pool in the task");
  }
}

TEST(Errors, WhatGetThrowsOfItsOwnAccordIsNeverATasks) {
  Pool pool{{.workers = 1}};
  expect_remote<TimeoutError>(pool);
  expect_remote<Terminated>(pool);
  expect_remote<Cancelled>(pool);
  expect_remote<PoolBroken>(pool);
  expect_remote<PoolNotRunning>(pool);
}

template <class Throw>
std::string remote_type(Pool& pool, Throw task) {
  try {
    pool.apply(task);
  } catch (const RemoteError& error) {
    return error.type_name;
  } catch (...) {
  }
  return "not remote";
}

TEST(Errors, StandardOnesThatAreMadeOfMoreThanATextAreRemote) {
  Pool pool{{.workers = 1}};
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(remote_type(pool, [] { std::filesystem::current_path("/no such directory"); }),
                  "filesystem_error"));
  EXPECT_TRUE(has(remote_type(pool, [] { throw std::ios_base::failure("stream"); }), "failure"));
  EXPECT_TRUE(has(remote_type(pool, [] { std::regex("("); }), "regex_error"));
  EXPECT_TRUE(has(remote_type(pool, [] { std::future<int>().get(); }), "future_error"));
}

TEST(Errors, SystemErrorKeepsItsCodeAndText) {
  Pool pool{{.workers = 1}};
  const auto fail = [] {
    throw std::system_error(std::make_error_code(std::errc::broken_pipe), "write");
  };
  try {
    pool.apply(fail);
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::broken_pipe);
    EXPECT_STREQ(error.what(), "write: Broken pipe");
  }
}

TEST(Errors, OtherTypesComeAsRemoteErrorWithTypeTextAndWorker) {
  Pool pool{{.workers = 1}};
  const pid_t worker = pool.apply<&worker_pid>();
  try {
    pool.apply([] { throw Unheard(20, 22); });
    FAIL();
  } catch (const RemoteError& error) {
    EXPECT_STREQ(error.what(), "42");
    EXPECT_NE(error.type_name.find("Unheard"), std::string::npos) << error.type_name;
    EXPECT_EQ(error.worker_pid, worker);
  }
}

TEST(Errors, RebuiltOnesTellWhereTheyComeFrom) {
  Pool pool{{.workers = 1}};
  try {
    pool.apply<&throw_it<std::out_of_range>>("far");
    FAIL();
  } catch (const RemoteTrace& trace) {
    EXPECT_EQ(trace.type_name, "std::out_of_range");
    EXPECT_EQ(trace.message, "far");
    EXPECT_GT(trace.worker_pid, 0);
  }
}

TEST(Errors, NestedOnesCarryTheWholeChain) {
  Pool pool{{.workers = 1}};
  const auto fail = [] {
    try {
      try {
        throw std::out_of_range("inmost");
      } catch (...) {
        std::throw_with_nested(std::logic_error("inner"));
      }
    } catch (...) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  };
  try {
    pool.apply(fail);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "outer");
    const auto& trace = dynamic_cast<const RemoteTrace&>(error);
    ASSERT_EQ(trace.causes.size(), 2U);
    EXPECT_EQ(trace.causes[0].type_name, "std::logic_error");
    EXPECT_EQ(trace.causes[1].message, "inmost");
    EXPECT_NE(trace.text().find("caused by std::out_of_range: inmost"), std::string::npos);
  }
}

TEST(Errors, NestedOnesAreNestedAgain) {
  Pool pool{{.workers = 1}};
  const auto fail = [] {
    try {
      throw DiskFull("/data", 7);
    } catch (...) {
      std::throw_with_nested(Unheard(1, 2));
    }
  };
  try {
    pool.apply(fail);
    FAIL();
  } catch (const RemoteError& outer) {
    EXPECT_STREQ(outer.what(), "3");
    try {
      std::rethrow_if_nested(outer);
      FAIL();
    } catch (const DiskFull& inner) {
      EXPECT_EQ(inner.missing, 7);
    }
  }
}

TEST(Errors, WhatIsNestedInNoExceptionIsACauseToo) {
  Pool pool{{.workers = 1}};
  const auto fail = [] {
    try {
      throw std::out_of_range("inner");
    } catch (...) {
      std::throw_with_nested(Code{7, "outer"});
    }
  };
  EXPECT_THROW(pool.apply(fail), Code);
  try {
    pool.apply(fail);
    FAIL();
  } catch (const std::nested_exception& outer) {
    EXPECT_THROW(outer.rethrow_nested(), std::out_of_range);
  }
}

TEST(Errors, RegisteredOnesComeBackAsThemselves) {
  Pool pool{{.workers = 1}};
  try {
    pool.apply([] { throw DiskFull("/data", 42); });
    FAIL();
  } catch (const DiskFull& error) {
    EXPECT_STREQ(error.what(), "no room on /data");
    EXPECT_EQ(error.path, "/data");
    EXPECT_EQ(error.missing, 42);
    EXPECT_GT(dynamic_cast<const RemoteTrace&>(error).worker_pid, 0);
  }
  EXPECT_THROW(pool.apply([] { throw ByText("a text"); }), ByText);
  try {
    pool.apply([] { throw Code{3, "plain"}; });
    FAIL();
  } catch (const Code& error) {
    EXPECT_EQ(error.number, 3);
    EXPECT_EQ(error.text, "plain");
  }
  EXPECT_THROW(pool.apply([] { throw Level::high; }), Level);
}

TEST(Errors, RegisteredOnesNeedNoBytes) {
  Pool pool{{.workers = 1}};
  EXPECT_THROW(pool.apply([] { throw Wordless(); }), Wordless);
}

TEST(Errors, RegisteredOnesThatCannotBeWrittenComeByTheirText) {
  Pool pool{{.workers = 1}};
  try {
    pool.apply([] { throw Unwritable("the text"); });
    FAIL();
  } catch (const RemoteError& error) {
    EXPECT_STREQ(error.what(), "the text");
  }
}

/// Types without linkage are called alike, file by file.
TEST(Errors, NamesakesOfRegisteredOnesAreOtherTypes) {
  Pool pool{{.workers = 1}};
  try {
    pool.apply<&throw_namesake>();
    FAIL();
  } catch (const RemoteError& error) {
    EXPECT_EQ(error.type_name, "poolproof::testing::(anonymous namespace)::Code");
  }
}

TEST(Errors, DerivedFromARegisteredTypeIsAnotherType) {
  Pool pool{{.workers = 1}};
  struct Fuller : DiskFull {
    using DiskFull::DiskFull;
  };
  EXPECT_THROW(pool.apply([] { throw Fuller("/data", 1); }), RemoteError);
}

TEST(Errors, ARegisteredOneThatCannotBeRebuiltComesAsRemoteError) {
  Pool pool{{.workers = 1}};
  Picky::main_process = ::getpid();
  try {
    pool.apply([] { throw Picky("x"); });
    FAIL();
  } catch (const RemoteError& error) {
    EXPECT_STREQ(error.what(), "x");
  }
}

struct Speechless : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return nullptr; }
};

TEST(Errors, WithoutATextComeWithAnEmptyOne) {
  Pool pool{{.workers = 1}};
  const pid_t worker = pool.apply<&worker_pid>();
  try {
    pool.apply([] { throw Speechless(); });
    FAIL();
  } catch (const RemoteError& error) {
    EXPECT_STREQ(error.what(), "");
    EXPECT_NE(error.type_name.find("Speechless"), std::string::npos) << error.type_name;
  }
  try {
    pool.apply([] { throw static_cast<const char*>(nullptr); });
    FAIL();
  } catch (const RemoteError& error) {
    EXPECT_STREQ(error.what(), "");
  }
  EXPECT_EQ(pool.apply<&worker_pid>(), worker);
}

TEST(Errors, ObjectsThatAreNoExceptionsCrossToo) {
  Pool pool{{.workers = 1}};
  try {
    pool.apply([] { throw 42; });
    FAIL();
  } catch (const RemoteError& error) {
    EXPECT_EQ(error.type_name, "int");
    EXPECT_STREQ(error.what(), "42");
  }
  EXPECT_THROW(pool.apply([] { throw "text"; }), RemoteError);
  EXPECT_THROW(pool.apply([] { throw std::vector<int>{1}; }), RemoteError);
}

TEST(Errors, TheWorkerLivesOnAfterAnError) {
  Pool pool{{.workers = 1}};
  const pid_t before = pool.apply<&worker_pid>();
  EXPECT_THROW(pool.apply([] { throw 1; }), RemoteError);
  EXPECT_EQ(pool.apply<&worker_pid>(), before);
}

TEST(Errors, AFailedFutureThrowsAgainAndAgain) {
  Pool pool{{.workers = 1}};
  const auto failed = pool.apply_async<&throw_it<std::length_error>>("long");
  EXPECT_THROW(failed.get(), std::length_error);
  EXPECT_THROW(failed.get(0ms), std::length_error);
  EXPECT_FALSE(failed.successful());
}

struct Unserializable {
  template <class Archive>
  void save(Archive&) const {
    throw std::domain_error("cannot be saved");
  }
  template <class Archive>
  void load(Archive&) {}
};

TEST(Errors, UnserializableArgumentsAndResultsFailTheirTaskAlone) {
  Pool pool{{.workers = 1}};
  const auto argument = pool.apply_async([](const Unserializable&) {}, Unserializable());
  EXPECT_THROW(argument.get(), std::domain_error);
  EXPECT_THROW(pool.apply([] { return Unserializable(); }), std::domain_error);
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
}

struct Unloadable {
  template <class Archive>
  void save(Archive&) const {}
  template <class Archive>
  void load(Archive&) {
    throw std::domain_error("cannot be loaded");
  }
};

TEST(Errors, AResultThatCannotBeReadFailsAlone) {
  Pool pool{{.workers = 1}};
  try {
    pool.apply([] { return Unloadable(); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "poolproof: the result, of type poolproof::testing::(anonymous "
                 "namespace)::Unloadable, cannot be read: cannot be loaded");
    EXPECT_THROW(std::rethrow_if_nested(error), std::domain_error);
  }
  EXPECT_EQ(pool.apply<&add>(1, 1), 2);
}

}  // namespace
}  // namespace poolproof::testing
