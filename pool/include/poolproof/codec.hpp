#pragma once

#include <array>
#include <cereal/archives/binary.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/atomic.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/complex.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/forward_list.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/queue.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/stack.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/unordered_set.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/valarray.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>
#include <concepts>
#include <deque>
#include <filesystem>
#include <functional>
#include <istream>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <poolproof/detail/aggregate.hpp>
#include <poolproof/detail/bytes.hpp>
#include <set>
#include <streambuf>
#include <string>
#include <string_view>
#include <tuple>
#include <typeinfo>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

/// How values cross between processes, in cereal's binary form:
///
/// - numbers, enums, std::string, std::filesystem::path, std::chrono, all
///   containers, pair, tuple, optional, variant, unique_ptr, shared_ptr, bitset,
///   complex and whatever of the standard library cereal knows;
/// - a plain struct of such members (no base class, constructor, C array,
///   bit-field, anonymous union or const member, 24 members at most), nested too,
///   without a line of code;
/// - a type with cereal's `serialize`, or `save` and `load`;
/// - a type with a Codec.
///
/// What crosses has a default constructor. Raw pointers, references and views
/// mean nothing in another process: each is refused at compile time. A parameter
/// may be a std::string_view: the worker keeps a string for it to look at.
namespace poolproof {

/// What a Codec writes to. Thread: any one at a time.
class Writer {
 public:
  explicit Writer(cereal::BinaryOutputArchive& archive) : archive_(archive) {}

  /// Writes values that cross.
  template <class... T>
  void operator()(const T&... values) {
    archive_(values...);
  }

 private:
  cereal::BinaryOutputArchive& archive_;
};

/// What it reads from, in the same order.
class Reader {
 public:
  explicit Reader(cereal::BinaryInputArchive& archive) : archive_(archive) {}

  /// Reads into values. Errors: cereal::Exception if bytes run out.
  template <class... T>
  void operator()(T&... values) {
    archive_(values...);
  }

  /// Reads one value.
  template <class T>
  [[nodiscard]] T read() {
    T value{};
    archive_(value);
    return value;
  }

 private:
  cereal::BinaryInputArchive& archive_;
};

/// The customisation point: specialise it for a type of somebody else's.
///
///     template <>
///     struct poolproof::Codec<Matrix> {
///       static void write(Writer& out, const Matrix& m) { out(m.rows(), m.values()); }
///       static Matrix read(Reader& in) {
///         const auto rows = in.read<int>();
///         return Matrix(rows, in.read<std::vector<double>>());
///       }
///     };
///
/// What `write` throws is an error of the task. What `read` throws is the cause
/// of an Error that names the argument or the result, nested in it
/// (std::rethrow_if_nested); lack of memory is told as such. Both may be called
/// in any thread.
template <class T>
struct Codec {};

/// A path crosses as the bytes that it consists of.
template <>
struct Codec<std::filesystem::path> {
  static void write(Writer& out, const std::filesystem::path& path) { out(path.native()); }
  static std::filesystem::path read(Reader& in) { return in.read<std::string>(); }
};

namespace detail {

template <class T>
concept HasCodec = requires(Writer& out, Reader& in, const T& value) {
  Codec<T>::write(out, value);
  { Codec<T>::read(in) } -> std::convertible_to<T>;
};

/// Whether a user, or cereal, has said how a type crosses. Not asked: whether
/// there is a free `serialize`, since ours is one; a user's own is the more
/// special.
template <class T>
inline constexpr bool kHasCerealFunctions =
    cereal::traits::has_member_serialize<T, cereal::BinaryOutputArchive>::value ||
    cereal::traits::has_member_versioned_serialize<T, cereal::BinaryOutputArchive>::value ||
    cereal::traits::has_non_member_versioned_serialize<T, cereal::BinaryOutputArchive>::value ||
    cereal::traits::has_member_save<T, cereal::BinaryOutputArchive>::value ||
    cereal::traits::has_member_versioned_save<T, cereal::BinaryOutputArchive>::value ||
    cereal::traits::has_non_member_save<T, cereal::BinaryOutputArchive>::value ||
    cereal::traits::has_non_member_versioned_save<T, cereal::BinaryOutputArchive>::value ||
    cereal::traits::has_member_save_minimal<T, cereal::BinaryOutputArchive>::value ||
    cereal::traits::has_non_member_save_minimal<T, cereal::BinaryOutputArchive>::value;

template <class T, class Archive>
concept CrossesByMembers = (std::same_as<Archive, cereal::BinaryOutputArchive> ||
                            std::same_as<Archive, cereal::BinaryInputArchive>)&&!HasCodec<T> &&
                           PlainAggregate<T> && !kHasCerealFunctions<T>;

}  // namespace detail

}  // namespace poolproof

// Where cereal looks, also for the elements of its containers.
namespace cereal {

template <class T>
requires poolproof::detail::HasCodec<T>
void CEREAL_SAVE_FUNCTION_NAME(BinaryOutputArchive& archive, const T& value) {
  poolproof::Writer writer(archive);
  poolproof::Codec<T>::write(writer, value);
}

template <class T>
requires poolproof::detail::HasCodec<T>
void CEREAL_LOAD_FUNCTION_NAME(BinaryInputArchive& archive, T& value) {
  poolproof::Reader reader(archive);
  value = poolproof::Codec<T>::read(reader);
}

template <class Archive, class T>
requires poolproof::detail::CrossesByMembers<T, Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, T& value) {
  poolproof::detail::with_members(value, [&](auto&... members) { archive(members...); });
}

}  // namespace cereal

namespace poolproof::detail {

/// A type that can cross. Of a container only itself is asked, not its
/// elements: those are refused by cereal. Nothing has nothing to send.
template <class T>
concept Crosses = (std::is_class_v<T> && std::is_empty_v<T>) ||
                  (cereal::traits::is_output_serializable<T, cereal::BinaryOutputArchive>::value &&
                   cereal::traits::is_input_serializable<T, cereal::BinaryInputArchive>::value);

template <class... T>
struct Parts {};

/// What of a type crosses on its own, and so is asked for itself: elements of the standard
/// library's types and members of plain structs. Else cereal refuses them, in words that know
/// nothing of this library.
template <class T>
struct PartsOf {
  using type = Parts<>;
};
template <class T>
requires CrossesByMembers<T, cereal::BinaryInputArchive>
struct PartsOf<T> {
  struct Types {
    template <class... Member>
    Parts<Member...> operator()(Member&...) const {
      return {};
    }
  };
  using type = decltype(with_members(std::declval<T&>(), Types()));
};
template <class T, std::size_t N>
struct PartsOf<std::array<T, N>> {
  using type = Parts<T>;
};
template <class T, class A>
struct PartsOf<std::vector<T, A>> {
  using type = Parts<T>;
};
template <class T, class A>
struct PartsOf<std::deque<T, A>> {
  using type = Parts<T>;
};
template <class T, class A>
struct PartsOf<std::list<T, A>> {
  using type = Parts<T>;
};
template <class T, class... Rest>
struct PartsOf<std::set<T, Rest...>> {
  using type = Parts<T>;
};
template <class T, class... Rest>
struct PartsOf<std::unordered_set<T, Rest...>> {
  using type = Parts<T>;
};
template <class K, class V, class... Rest>
struct PartsOf<std::map<K, V, Rest...>> {
  using type = Parts<K, V>;
};
template <class K, class V, class... Rest>
struct PartsOf<std::multimap<K, V, Rest...>> {
  using type = Parts<K, V>;
};
template <class K, class V, class... Rest>
struct PartsOf<std::unordered_map<K, V, Rest...>> {
  using type = Parts<K, V>;
};
template <class T>
struct PartsOf<std::optional<T>> {
  using type = Parts<T>;
};
template <class A, class B>
struct PartsOf<std::pair<A, B>> {
  using type = Parts<A, B>;
};
/// What a smart pointer owns, unless cereal's own ways make it: a registered type of an abstract
/// base, or `load_and_construct`.
template <class T>
struct Owned {
  using type = Parts<>;
};
template <class T>
requires(std::is_object_v<T> && !std::is_array_v<T> && !std::is_abstract_v<T> &&
         (std::is_default_constructible_v<T> || !Crosses<T>)) struct Owned<T> {
  using type = Parts<T>;
};
template <class T, class D>
struct PartsOf<std::unique_ptr<T, D>> : Owned<std::remove_const_t<T>> {};
template <class T>
struct PartsOf<std::shared_ptr<T>> : Owned<std::remove_const_t<T>> {};
template <class... T>
struct PartsOf<std::tuple<T...>> {
  using type = Parts<T...>;
};
template <class... T>
struct PartsOf<std::variant<T...>> {
  using type = Parts<T...>;
};

template <class T>
inline constexpr bool kIsReferenceWrapper = false;
template <class T>
inline constexpr bool kIsReferenceWrapper<std::reference_wrapper<T>> = true;

template <class T, class... Around>
consteval bool require_crossing();

template <class... Around, class... Part>
consteval bool parts_cross(Parts<Part...>) {
  return (require_crossing<Part, Around...>() && ...);
}

/// Always true, or not compiled. `Around`: the types that it is part of, which may hold themselves.
template <class T, class... Around>
consteval bool require_crossing() {
  static_assert(!std::is_pointer_v<T>,
                "poolproof: a pointer means nothing in another process: pass the object itself");
  static_assert(!std::is_const_v<T>,
                "poolproof: what crosses is written to when it arrives: no const members or "
                "elements");
  static_assert(!kIsReferenceWrapper<std::remove_const_t<T>>,
                "poolproof: a reference means nothing in another process: in place of a "
                "std::reference_wrapper pass the object itself");
  static_assert(!std::is_union_v<T> || Crosses<std::remove_const_t<T>>,
                "poolproof: nobody knows which member of a union is in use: take a std::variant, "
                "or specialise poolproof::Codec");
  static_assert(!std::is_polymorphic_v<T> || Crosses<std::remove_const_t<T>>,
                "poolproof: an object with virtual functions does not cross by itself, nor does a "
                "pointer to one: give its class cereal's `serialize` (and register with cereal "
                "what derives from it), or specialise poolproof::Codec");
  static_assert(std::is_pointer_v<T> || kIsReferenceWrapper<std::remove_const_t<T>> ||
                    std::is_union_v<T> || std::is_polymorphic_v<T> ||
                    Crosses<std::remove_const_t<T>>,
                "poolproof: this type cannot cross between processes: make it a plain struct of "
                "members that can (no base class, no constructor, no C array, no bit-field, 24 "
                "members at most; std::string in place of a view), give it cereal's `serialize`, "
                "or specialise poolproof::Codec");
  static_assert(std::is_default_constructible_v<T> || kIsReferenceWrapper<std::remove_const_t<T>>,
                "poolproof: what crosses between processes needs a default constructor");
  // What its own codec writes is its own affair.
  if constexpr ((std::is_same_v<T, Around> || ...) || HasCodec<T>) {
    return true;
  } else {
    return parts_cross<T, Around...>(typename PartsOf<std::remove_const_t<T>>::type());
  }
}

/// Appends to a payload; no copy on the way, unlike std::ostringstream.
class ByteSink : public std::streambuf {
 public:
  explicit ByteSink(Bytes& bytes) : bytes_(bytes) {}

 protected:
  std::streamsize xsputn(const char* data, std::streamsize size) override {
    bytes_.append(data, static_cast<std::size_t>(size));
    return size;
  }
  int_type overflow(int_type byte) override {
    if (traits_type::eq_int_type(byte, traits_type::eof())) return 0;
    bytes_.push_back(traits_type::to_char_type(byte));
    return byte;
  }

 private:
  Bytes& bytes_;
};

/// Reads bytes that somebody else owns, where they lie, or bit by bit if they are far away.
class ByteSource : public std::streambuf {
 public:
  explicit ByteSource(std::string_view bytes) {
    // The get area is never written to: this class has no put-back.
    char* begin = const_cast<char*>(bytes.data());
    setg(begin, begin, begin + bytes.size());
  }
  explicit ByteSource(const Bytes& bytes)
      : ByteSource(bytes.far() ? std::string_view() : bytes.view()) {
    if (bytes.far()) far_ = &bytes;
  }

 protected:
  int_type underflow() override {
    if (!far_) return traits_type::eof();
    if (!near_) near_ = std::make_unique<std::array<char, kNear>>();
    const std::size_t got = far_->read(position_, near_->data(), kNear);
    position_ += got;
    setg(near_->data(), near_->data(), near_->data() + got);
    return got == 0 ? traits_type::eof() : traits_type::to_int_type(*gptr());
  }
  /// What is large goes to its place without a stay in between.
  std::streamsize xsgetn(char* to, std::streamsize size) override {
    if (!far_ || size < static_cast<std::streamsize>(kNear)) {
      return std::streambuf::xsgetn(to, size);
    }
    const std::streamsize before = std::streambuf::xsgetn(to, egptr() - gptr());
    const std::size_t got =
        far_->read(position_, to + before, static_cast<std::size_t>(size - before));
    position_ += got;
    return before + static_cast<std::streamsize>(got);
  }

 private:
  static constexpr std::size_t kNear = std::size_t{64} << 10;

  const Bytes* far_ = nullptr;
  std::size_t position_ = 0;
  std::unique_ptr<std::array<char, kNear>> near_;
};

/// A stream over a buffer. To make one costs more than what goes through most of them, so each
/// thread keeps one; who finds it in use, within a `serialize` for example, makes another.
template <class Stream>
class BorrowedStream {
 public:
  explicit BorrowedStream(std::streambuf& buffer) {
    if (in_use_) {
      stream_ = &own_.emplace(&buffer);
    } else {
      thread_local Kept kept;
      in_use_ = true;
      stream_ = &kept.stream;
      stream_->rdbuf(&buffer);  // clears its state, too
    }
  }
  ~BorrowedStream() {
    if (own_) return;
    stream_->rdbuf(nullptr);
    in_use_ = false;
  }
  BorrowedStream(const BorrowedStream&) = delete;
  BorrowedStream& operator=(const BorrowedStream&) = delete;

  Stream& operator*() { return *stream_; }

 private:
  struct Kept {
    Stream stream{nullptr};
    ~Kept() { in_use_ = true; }  // static objects may still want one
  };

  static inline thread_local bool in_use_ = false;
  Stream* stream_ = nullptr;
  std::optional<Stream> own_;
};

/// Writes values one after another. Thread: one, from beginning to end.
class Encoder {
 public:
  explicit Encoder(Bytes& bytes) : sink_(bytes), stream_(sink_), archive_(*stream_) {}

  template <class T>
  void operator()(const T& value) {
    archive_(value);
  }

 private:
  ByteSink sink_;
  BorrowedStream<std::ostream> stream_;
  cereal::BinaryOutputArchive archive_;
};

/// Reads them in the same order. Errors: cereal::Exception if bytes run out,
/// and whatever a user's own `serialize` throws. Thread: one, from beginning to end.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : source_(bytes), stream_(source_), archive_(*stream_) {}
  explicit Decoder(const Bytes& bytes) : source_(bytes), stream_(source_), archive_(*stream_) {}

  template <class T>
  void operator()(T& value) {
    archive_(value);
  }

 private:
  ByteSource source_;
  BorrowedStream<std::istream> stream_;
  cereal::BinaryInputArchive archive_;
};

/// What is being handled came from reading `what`, of this type: throws an Error that says so, with
/// that as its cause. What is none of the type's doing goes on: std::bad_alloc, pthread_exit.
[[noreturn]] void throw_unreadable(const std::string& what, const std::type_info& type);

/// In main.
template <class T>
void read_result(Decoder& decoder, T& value) {
  try {
    decoder(value);
  } catch (...) {
    throw_unreadable("the result", typeid(T));
  }
}

}  // namespace poolproof::detail
