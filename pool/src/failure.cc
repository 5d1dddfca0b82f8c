#include <poolproof/detail/failure.hpp>

#include <cxxabi.h>

#include <any>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <poolproof/codec.hpp>
#include <poolproof/errors.hpp>
#include <system_error>
#include <typeinfo>
#include <utility>
#include <variant>

namespace poolproof::detail {
namespace {

constexpr std::size_t kMaxCauses = 32;  // an endless chain must not hang us

struct Failure {
  std::string type;  // mangled: the key for rebuilding
  std::string message;
  std::vector<std::pair<std::string, std::string>> causes;
  std::string category;  // of std::system_error
  int code = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(type, message, causes, category, code);
  }
};

std::string demangle(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  return readable ? readable.get() : name;
}

std::exception_ptr nested_in(const std::exception& error) {
  const auto* nested = dynamic_cast<const std::nested_exception*>(&error);
  return nested ? nested->nested_ptr() : nullptr;
}

/// Type and text of one link of the chain; `next` becomes the cause.
Failure describe(const std::exception_ptr& error, std::exception_ptr& next) {
  Failure failure;
  next = nullptr;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    failure.type = typeid(e).name();
    failure.message = e.what();
    next = nested_in(e);
    if (const auto* system = dynamic_cast<const std::system_error*>(&e)) {
      failure.category = system->code().category().name();
      failure.code = system->code().value();
    }
  } catch (const std::string& text) {
    failure.type = typeid(std::string).name();
    failure.message = text;
  } catch (const char* text) {
    failure.type = typeid(const char*).name();
    failure.message = text;
  } catch (int value) {
    failure.type = typeid(int).name();
    failure.message = std::to_string(value);
  } catch (...) {
    failure.type = abi::__cxa_current_exception_type()->name();
    failure.message = "an object that is no std::exception";
  }
  return failure;
}

/// std::throw_with_nested throws a type of its own that derives from the
/// original one; what was meant is the original.
std::string without_nesting(const std::string& mangled) {
  static const std::string kPrefix = "St17_Nested_exceptionI";
  if (mangled.compare(0, kPrefix.size(), kPrefix) != 0) return mangled;
  return mangled.substr(kPrefix.size(), mangled.size() - kPrefix.size() - 1);
}

template <class E>
[[noreturn]] void rebuild(const Failure&, RemoteTrace trace) {
  if constexpr (std::is_constructible_v<E, const std::string&>) {
    E error(trace.message);
    throw Rebuilt<E>(std::move(error), std::move(trace));
  } else {
    throw Rebuilt<E>(E(), std::move(trace));
  }
}

/// what() of a std::system_error ends in the code's message, which its
/// constructor appends again.
template <>
[[noreturn]] void rebuild<std::system_error>(const Failure& failure, RemoteTrace trace) {
  const std::error_category* category = nullptr;
  if (failure.category == std::generic_category().name()) {
    category = &std::generic_category();
  } else if (failure.category == std::system_category().name()) {
    category = &std::system_category();
  }
  if (!category) throw RemoteError(std::move(trace));
  const std::error_code code(failure.code, *category);
  const std::string tail = ": " + code.message();
  const std::string& text = failure.message;
  if (text.size() >= tail.size() &&
      text.compare(text.size() - tail.size(), tail.size(), tail) == 0) {
    const std::system_error error(code, text.substr(0, text.size() - tail.size()));
    throw Rebuilt<std::system_error>(error, std::move(trace));
  }
  throw Rebuilt<std::system_error>(std::system_error(code), std::move(trace));
}

struct Rebuilder {
  const std::type_info* type;
  void (*rebuild)(const Failure&, RemoteTrace);
};

template <class E>
constexpr Rebuilder rebuilder() {
  return {&typeid(E), &rebuild<E>};
}

const Rebuilder kRebuilders[] = {
    rebuilder<std::exception>(),
    rebuilder<std::runtime_error>(),
    rebuilder<std::range_error>(),
    rebuilder<std::overflow_error>(),
    rebuilder<std::underflow_error>(),
    rebuilder<std::logic_error>(),
    rebuilder<std::invalid_argument>(),
    rebuilder<std::domain_error>(),
    rebuilder<std::length_error>(),
    rebuilder<std::out_of_range>(),
    rebuilder<std::system_error>(),
    rebuilder<std::bad_alloc>(),
    rebuilder<std::bad_array_new_length>(),
    rebuilder<std::bad_cast>(),
    rebuilder<std::bad_typeid>(),
    rebuilder<std::bad_any_cast>(),
    rebuilder<std::bad_optional_access>(),
    rebuilder<std::bad_function_call>(),
    rebuilder<std::bad_weak_ptr>(),
    rebuilder<Error>(),
    rebuilder<PoolNotRunning>(),
    rebuilder<PoolStillRunning>(),
    rebuilder<WrongProcess>(),
    rebuilder<ThreadsPresent>(),
    rebuilder<TimeoutError>(),
    rebuilder<ResultNotReady>(),
    rebuilder<Terminated>(),
    rebuilder<PoolBroken>(),
};

RemoteTrace trace_of(const Failure& failure, pid_t worker) {
  RemoteTrace trace;
  trace.type_name = demangle(failure.type);
  trace.message = failure.message;
  for (const auto& [type, message] : failure.causes) {
    trace.causes.push_back({demangle(type), message});
  }
  trace.worker_pid = worker;
  return trace;
}

Failure decode(std::string_view encoded) {
  Failure failure;
  if (encoded.empty()) {
    failure.type = typeid(std::bad_alloc).name();
    failure.message = "std::bad_alloc";
    return failure;
  }
  Decoder{encoded}(failure);
  return failure;
}

}  // namespace

Bytes encode_failure(const std::exception_ptr& error) noexcept {
  try {
    std::exception_ptr next;
    Failure failure = describe(error, next);
    failure.type = without_nesting(failure.type);
    while (next && failure.causes.size() < kMaxCauses) {
      const Failure cause = describe(std::exception_ptr(next), next);
      failure.causes.emplace_back(without_nesting(cause.type), cause.message);
    }
    Bytes bytes;
    Encoder{bytes}(failure);
    return bytes;
  } catch (...) {
    return {};  // only memory can be lacking here
  }
}

Bytes encode_current_failure() {
  if (!abi::__cxa_current_exception_type()) throw;
  return encode_failure(std::current_exception());
}

std::string describe_error(const std::exception_ptr& error) {
  std::exception_ptr next;
  const Failure failure = describe(error, next);
  return demangle(without_nesting(failure.type)) + ": " + failure.message;
}

void throw_failure(std::string_view encoded, pid_t worker) {
  const Failure failure = decode(encoded);
  const RemoteTrace trace = trace_of(failure, worker);
  for (const Rebuilder& candidate : kRebuilders) {
    if (failure.type == candidate.type->name()) {
      candidate.rebuild(failure, trace);
    }
  }
  throw RemoteError(trace);
}

}  // namespace poolproof::detail
