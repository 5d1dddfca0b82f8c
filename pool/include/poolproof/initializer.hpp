#pragma once

#include <poolproof/detail/task.hpp>
#include <string>
#include <type_traits>

namespace poolproof {

/// What each worker does first, replacements too: a function or a captureless
/// lambda with its arguments, which cross as those of a task do.
///
///     Pool pool{{.initializer = [] { open_log(); }}};
///     Pool pool{{.initializer = {[](std::string url) { connect(url); }, "db:1"}}};
///     Pool pool{{.initializer = initializer<connect>("db:1")}};
///
/// One that throws, or leaves the process, breaks the pool: nothing is started
/// again and again, every pending result fails with PoolBroken, which names the
/// error, and so do later submissions. A worker that is killed meanwhile is
/// replaced, later and later, some ten times before that breaks the pool too.
/// Source: multiprocessing.Pool(initializer=, initargs=); a failure there
/// starts workers without end (cpython#87472).
class Initializer {
 public:
  /// None.
  Initializer() = default;

  /// Errors: whatever an argument throws that cannot be serialized.
  template <class F, class... Args>
  requires(!std::is_same_v<F, Initializer>)
      Initializer(F, const Args&... args)  // NOLINT(google-explicit-constructor): reads as a value
      : Initializer(detail::TypeTag<F>(), args...) {
    detail::refuse_captures<F>();
  }

  [[nodiscard]] explicit operator bool() const { return invoke_ != nullptr; }
  [[nodiscard]] detail::Invoke invoke() const { return invoke_; }
  [[nodiscard]] const std::string& arguments() const { return arguments_; }

 private:
  template <auto F, class... Args>
  friend Initializer initializer(const Args&... args);

  template <class Callable, class... Args>
  explicit Initializer(detail::TypeTag<Callable>, const Args&... args) {
    using Call = detail::CallFor<Callable, Args...>;
    invoke_ = &Call::run_for_effect;
    arguments_ = Call::encode(args...).view();
  }

  detail::Invoke invoke_ = nullptr;
  std::string arguments_;
};

/// `F(args...)` as an initializer. Errors: as above.
template <auto F, class... Args>
Initializer initializer(const Args&... args) {
  return Initializer(detail::TypeTag<detail::FixedFunction<F>>(), args...);
}

}  // namespace poolproof
