#pragma once

#include <string>

#include "harness/sys/fd.h"
#include "harness/trace.h"

namespace poolproof::warden {

/// One of main's output streams, read as it comes so that the subject never blocks on us. Its end
/// of file is a fact apart from main's death: whoever inherited the stream still holds it.
class Output {
 public:
  Output(std::string stream, sys::Fd pipe);

  /// Reads what there is, up to a bound. True when anything came, the end included.
  bool drain();
  /// Reads what there is, and no more: whoever writes gets EPIPE.
  void close() {
    drain();
    pipe_.reset();
  }
  bool open() const { return static_cast<bool>(pipe_); }
  int descriptor() const { return pipe_.get(); }
  const std::string& stream() const { return stream_; }
  /// "pipe:[4711]"
  std::string inode() const;
  harness::Captured take() { return std::move(captured_); }

 private:
  std::string stream_;
  sys::Fd pipe_;
  harness::Captured captured_;
};

}  // namespace poolproof::warden
