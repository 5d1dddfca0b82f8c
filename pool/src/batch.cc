#include <unistd.h>

#include <poolproof/detail/batch.hpp>
#include <poolproof/detail/failure.hpp>

namespace poolproof::detail::batch {

void Writer::take_failure(Bytes& bytes) {
  const Bytes failure = encode_current_failure();
  const pid_t self = ::getpid();
  bytes.clear();
  bytes.append(reinterpret_cast<const char*>(&self), sizeof self);
  bytes.append(failure.view().data(), failure.size());
}

void throw_item(std::string_view bytes) {
  pid_t worker = 0;
  std::memcpy(&worker, bytes.data(), sizeof worker);
  throw_failure(bytes.substr(sizeof worker), worker);
}

}  // namespace poolproof::detail::batch
