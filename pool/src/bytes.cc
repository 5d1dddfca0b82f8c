#include <poolproof/detail/bytes.hpp>

namespace poolproof::detail {
namespace {

/// One huge payload must not cost its memory for ever.
constexpr std::size_t kKept = std::size_t{1} << 20;

}  // namespace

void Bytes::clear() {
  text_.clear();
  if (text_.capacity() > kKept) std::string().swap(text_);
}

}  // namespace poolproof::detail
