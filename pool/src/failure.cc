#include <poolproof/detail/failure.hpp>

#include <cxxabi.h>

#include <any>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <poolproof/codec.hpp>
#include <poolproof/errors.hpp>
#include <poolproof/register_error.hpp>
#include <string>
#include <system_error>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace poolproof::detail {
namespace {

constexpr std::size_t kMaxChain = 33;  // an endless chain must not hang us

/// One error of the chain.
struct Link {
  std::string type;  // mangled: the key for rebuilding
  std::string message;
  std::string category;  // of std::system_error
  int code = 0;
  bool is_saved = false;  // as a registered type; then with
  std::string payload;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(type, message, category, code, is_saved, payload);
  }
};
using Chain = std::vector<Link>;  // the outermost first

/// Never destroyed: errors may be thrown after everything else has ended.
struct Registry {
  std::mutex mutex;
  std::unordered_map<std::string, ErrorForm> forms;
  static Registry& instance() {
    static auto* const registry = new Registry;
    return *registry;
  }
};

const ErrorForm* form_of(const std::string& mangled) {
  Registry& registry = Registry::instance();
  const std::lock_guard lock(registry.mutex);
  const auto found = registry.forms.find(mangled);
  return found == registry.forms.end() ? nullptr : &found->second;
}

std::string demangle(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  return readable ? readable.get() : name;
}

/// What is nested in the exception being handled, which may be no std::exception.
std::exception_ptr current_cause() {
  try {
    throw;
  } catch (const std::nested_exception& nesting) {
    return nesting.nested_ptr();
  } catch (...) {
    return nullptr;
  }
}

/// std::throw_with_nested throws a type of its own that derives from the
/// original one; what was meant is the original.
std::string without_nesting(const std::string& mangled) {
  static const std::string kPrefix = "St17_Nested_exceptionI";
  if (mangled.compare(0, kPrefix.size(), kPrefix) != 0) return mangled;
  return mangled.substr(kPrefix.size(), mangled.size() - kPrefix.size() - 1);
}

/// Somebody else's what() may return nothing at all.
const char* text_or_none(const char* text) {
  return text ? text : "";
}

/// Type and text of the exception being handled; `next` becomes its cause.
Link describe_current(std::exception_ptr& next) {
  Link link;
  next = current_cause();
  try {
    throw;
  } catch (const std::exception& e) {
    link.type = typeid(e).name();
    link.message = text_or_none(e.what());
    if (const auto* system = dynamic_cast<const std::system_error*>(&e)) {
      link.category = system->code().category().name();
      link.code = system->code().value();
    }
  } catch (const std::string& text) {
    link.type = typeid(std::string).name();
    link.message = text;
  } catch (const char* text) {
    link.type = typeid(const char*).name();
    link.message = text_or_none(text);
  } catch (int value) {
    link.type = typeid(int).name();
    link.message = std::to_string(value);
  } catch (...) {
    link.type = abi::__cxa_current_exception_type()->name();
    link.message = "an object that is no std::exception";
  }
  return link;
}

/// The exception being handled, as one of the registered type, unless it is a namesake (two files
/// may each have one without linkage), or cannot be written: then it crosses by its text.
void save_as(const ErrorForm& form, Link& link) {
  try {
    Bytes payload;
    form.save(payload);
    link.payload = payload.view();
    link.is_saved = true;
  } catch (...) {
  }
}

/// One link of the chain, whole.
Link link_of(const std::exception_ptr& error, std::exception_ptr& next) {
  try {
    std::rethrow_exception(error);
  } catch (...) {
    Link link = describe_current(next);
    link.type = without_nesting(link.type);
    const ErrorForm* const form = form_of(link.type);
    if (form) save_as(*form, link);
    return link;
  }
}

template <class E>
void rebuild(const Link&, RemoteTrace trace, bool nested) {
  if constexpr (std::is_constructible_v<E, const std::string&>) {
    raise_error_from_text<E>({}, std::move(trace), nested);
  } else {
    raise_rebuilt(E(), std::move(trace), nested);
  }
}

/// what() of a std::system_error ends in the code's message, which its
/// constructor appends again.
template <>
void rebuild<std::system_error>(const Link& link, RemoteTrace trace, bool nested) {
  const std::error_category* category = nullptr;
  if (link.category == std::generic_category().name()) category = &std::generic_category();
  if (link.category == std::system_category().name()) category = &std::system_category();
  if (!category) return;  // it is another program's, so to say
  const std::error_code code(link.code, *category);
  const std::string tail = ": " + code.message();
  const std::string& text = link.message;
  if (text.size() >= tail.size() &&
      text.compare(text.size() - tail.size(), tail.size(), tail) == 0) {
    raise_rebuilt(std::system_error(code, text.substr(0, text.size() - tail.size())),
                  std::move(trace), nested);
  }
  raise_rebuilt(std::system_error(code), std::move(trace), nested);
}

struct Rebuilder {
  const std::type_info* type;
  void (*rebuild)(const Link&, RemoteTrace, bool nested);
};

template <class E>
constexpr Rebuilder rebuilder() {
  return {&typeid(E), &rebuild<E>};
}

/// None that `get` or a submission throws of its own accord (TimeoutError, Terminated, PoolBroken,
/// WorkerDied ...): a task that had a pool of its own would be told as if it were main's pool, and
/// who waits again after a TimeoutError would wait again for ever.
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
    rebuilder<std::bad_variant_access>(),
    rebuilder<std::bad_exception>(),
    rebuilder<std::bad_function_call>(),
    rebuilder<std::bad_weak_ptr>(),
    rebuilder<Error>(),
    rebuilder<PoolStillRunning>(),
    rebuilder<WrongProcess>(),
    rebuilder<ThreadsPresent>(),
    rebuilder<ResultNotReady>(),
};

/// Of the chain from link `at` on.
RemoteTrace trace_of(const Chain& chain, std::size_t at, pid_t worker) {
  RemoteTrace trace;
  trace.type_name = demangle(chain[at].type);
  trace.message = chain[at].message;
  for (std::size_t i = at + 1; i < chain.size(); ++i) {
    trace.causes.push_back({demangle(chain[i].type), chain[i].message});
  }
  trace.worker_pid = worker;
  return trace;
}

Chain decode(std::string_view encoded) {
  if (encoded.empty()) return {{typeid(std::bad_alloc).name(), "std::bad_alloc", {}, 0, false, {}}};
  Chain chain;
  Decoder{encoded}(chain);
  return chain;
}

/// Throws link `at`, with what is being handled as its cause if `nested`. Returns if its type
/// cannot be rebuilt.
void raise_as_itself(const Chain& chain, std::size_t at, pid_t worker, bool nested) {
  const Link& link = chain[at];
  if (const ErrorForm* const form = form_of(link.type)) {
    if (link.is_saved) form->raise(link.payload, trace_of(chain, at, worker), nested);
  }
  for (const Rebuilder& candidate : kRebuilders) {
    if (link.type == candidate.type->name()) {
      candidate.rebuild(link, trace_of(chain, at, worker), nested);
    }
  }
}

[[noreturn]] void raise_remote(RemoteTrace trace, bool nested) {
  RemoteError error(std::move(trace));
  if (nested) std::throw_with_nested(std::move(error));
  throw std::move(error);
}

[[noreturn]] void raise(const Chain& chain, std::size_t at, pid_t worker, bool nested) {
  raise_as_itself(chain, at, worker, nested);
  raise_remote(trace_of(chain, at, worker), nested);
}

/// The inmost first, each outer one while the one within is being handled: as it was thrown.
[[noreturn]] void raise_chain(const Chain& chain, std::size_t at, pid_t worker) {
  if (at + 1 == chain.size()) raise(chain, at, worker, false);
  try {
    raise_chain(chain, at + 1, worker);
  } catch (...) {
    raise(chain, at, worker, true);
  }
}

}  // namespace

void add_error_form(const ErrorForm& form) {
  Registry& registry = Registry::instance();
  const std::lock_guard lock(registry.mutex);
  registry.forms[form.type->name()] = form;
}

Bytes encode_failure(const std::exception_ptr& error) noexcept {
  try {
    Chain chain;
    std::exception_ptr next = error;
    while (next && chain.size() < kMaxChain) {
      const std::exception_ptr here = next;
      chain.push_back(link_of(here, next));
    }
    Bytes bytes;
    Encoder{bytes}(chain);
    return bytes;
  } catch (...) {
    return {};  // only memory can be lacking here
  }
}

Bytes encode_current_failure() {
  if (!abi::__cxa_current_exception_type()) throw;
  return encode_failure(std::current_exception());
}

void throw_unreadable(const std::string& what, const std::type_info& type) {
  const std::type_info* const thrown = abi::__cxa_current_exception_type();
  if (!thrown || *thrown == typeid(std::bad_alloc)) throw;
  std::exception_ptr cause;
  std::throw_with_nested(Error("poolproof: " + what + ", of type " + demangle(type.name()) +
                               ", cannot be read: " + describe_current(cause).message));
}

std::string describe_error(const std::exception_ptr& error) {
  std::exception_ptr next;
  const Link link = link_of(error, next);
  return demangle(link.type) + ": " + link.message;
}

void throw_failure(std::string_view encoded, pid_t worker) {
  raise_chain(decode(encoded), 0, worker);
}

}  // namespace poolproof::detail
