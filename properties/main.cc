#include <fcntl.h>

#include <cerrno>

#include "properties/cli.h"

namespace {

/// Whoever starts it with a standard stream closed: else the first file that is opened would be
/// taken for it. What is written there fails all the same.
void occupy_standard_streams() {
  for (int stream = 0; stream <= 2; ++stream) {
    if (::fcntl(stream, F_GETFD) == -1 && errno == EBADF)
      static_cast<void>(::open("/dev/null", O_RDONLY));  // the lowest number that is free: this one
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
  return poolproof::properties::run_cli(argc, argv);
}
