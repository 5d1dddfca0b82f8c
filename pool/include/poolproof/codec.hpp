#pragma once

#include <cereal/archives/binary.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/complex.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/unordered_set.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>
#include <istream>
#include <ostream>
#include <poolproof/detail/bytes.hpp>
#include <streambuf>
#include <string_view>

/// How values cross between processes: cereal's binary form. A type of one's
/// own crosses with a `serialize` function, as cereal's documentation shows.
/// Raw pointers do not cross: cereal refuses them at compile time.
namespace poolproof::detail {

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

/// Reads bytes that somebody else owns.
class ByteSource : public std::streambuf {
 public:
  explicit ByteSource(std::string_view bytes) {
    // The get area is never written to: this class has no put-back.
    char* begin = const_cast<char*>(bytes.data());
    setg(begin, begin, begin + bytes.size());
  }
};

/// Writes values one after another. Thread: any one at a time.
class Encoder {
 public:
  explicit Encoder(Bytes& bytes) : sink_(bytes), stream_(&sink_), archive_(stream_) {}

  template <class T>
  void operator()(const T& value) {
    archive_(value);
  }

 private:
  ByteSink sink_;
  std::ostream stream_;
  cereal::BinaryOutputArchive archive_;
};

/// Reads them in the same order. Errors: cereal::Exception if bytes run out,
/// and whatever a user's own `serialize` throws.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : source_(bytes), stream_(&source_), archive_(stream_) {}

  template <class T>
  void operator()(T& value) {
    archive_(value);
  }

 private:
  ByteSource source_;
  std::istream stream_;
  cereal::BinaryInputArchive archive_;
};

}  // namespace poolproof::detail
