#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// What a task takes, read from its type.
namespace poolproof::detail {

/// As it is kept: an item of a std::map has a key that can be written to.
template <class T>
struct Writable {
  using type = T;
};
template <class Key, class Value>
struct Writable<std::pair<const Key, Value>> {
  using type = std::pair<Key, Value>;
};

/// The types that a call's arguments are sent as when the callable does not
/// name them (generic lambdas): the decayed types, text as std::string.
template <class Arg>
using SentAs = std::conditional_t<std::is_convertible_v<std::decay_t<Arg>, const char*> &&
                                      std::is_pointer_v<std::decay_t<Arg>>,
                                  std::string, typename Writable<std::decay_t<Arg>>::type>;

/// A parameter as it is kept in the worker. A reference that the task could
/// write through is refused: what it wrote would not come back.
template <class Param>
struct Kept {
  static_assert(!std::is_lvalue_reference_v<Param> ||
                    std::is_const_v<std::remove_reference_t<Param>>,
                "poolproof: a task runs in another process, so it cannot "
                "change its caller's objects: take this parameter by value or "
                "const reference and return what changed");
  static_assert(!std::is_pointer_v<std::decay_t<Param>>,
                "poolproof: a pointer means nothing in another process: pass "
                "the object itself");
  using type = typename Writable<std::decay_t<Param>>::type;
};

/// A view needs something to look at.
template <class View>
requires std::is_same_v<std::remove_cvref_t<View>, std::string_view>
struct Kept<View> {
  using type = std::string;
};

template <class... Params>
using KeptTuple = std::tuple<typename Kept<Params>::type...>;

/// Primary: parameters unknown, taken from the call.
template <class Callable, class = void>
struct Signature {
  template <class... Args>
  using Params = std::tuple<SentAs<Args>...>;
};

template <class... P>
struct Named {
  template <class... Args>
  struct Checked {
    static_assert(sizeof...(Args) == sizeof...(P),
                  "poolproof: wrong number of arguments for this task (all must be given, also "
                  "those with a default; for items that are tuples there is starmap)");
    using type = KeptTuple<P...>;
  };
  template <class... Args>
  using Params = typename Checked<Args...>::type;

  /// What a list in braces is a list of: for a call of one argument each, or of all.
  template <class Kept = KeptTuple<P...>>
  struct Items {
    using One = std::tuple_element_t<0, Kept>;
    using All = Kept;
  };
};

template <class R, class... P>
struct Signature<R (*)(P...)> : Named<P...> {};
template <class R, class... P>
struct Signature<R (*)(P...) noexcept> : Named<P...> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...)> : Named<C, P...> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...) noexcept> : Named<C, P...> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...) const> : Named<C, P...> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...) const noexcept> : Named<C, P...> {};

/// A lambda's or functor's parameters are those of its call operator, without
/// the object.
template <class Operator>
struct CallOperator;
template <class R, class C, class... P>
struct CallOperator<R (C::*)(P...)> : Named<P...> {};
template <class R, class C, class... P>
struct CallOperator<R (C::*)(P...) noexcept> : Named<P...> {};
template <class R, class C, class... P>
struct CallOperator<R (C::*)(P...) const> : Named<P...> {};
template <class R, class C, class... P>
struct CallOperator<R (C::*)(P...) const noexcept> : Named<P...> {};

template <class Functor>
struct Signature<Functor, std::void_t<decltype(&Functor::operator())>>
    : CallOperator<decltype(&Functor::operator())> {};

/// What items in braces become, which have no type of their own: the callable's parameters say it.
/// None where it does not name them.
template <class Callable>
using ListOfItems = std::vector<typename Signature<Callable>::template Items<>::One>;
template <class Callable>
using ListOfCalls = std::vector<typename Signature<Callable>::template Items<>::All>;

}  // namespace poolproof::detail
