#pragma once

#include <string>
#include <vector>

/// What two processes can do without a pool: the floor under a round trip.
namespace poolproof::bench {

/// Where the two sides run.
enum class Placement {
  anywhere,  ///< where the kernel has them
  same,      ///< both on one processor
  apart,     ///< each on one of its own
};

/// Pins the calling thread: `side` 0 or 1 of two. Errors: std::system_error, std::runtime_error
/// where the machine has too few processors.
void place(Placement placement, int side);

/// A forked child that answers, byte for byte or word for word. Thread: any one at a time.
class Echo {
 public:
  virtual ~Echo() = default;
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;

  /// There and back.
  virtual void round_trip() = 0;

 protected:
  Echo() = default;
};

/// Two pipes, a byte each way; the child ends with them.
class PipeEcho final : public Echo {
 public:
  explicit PipeEcho(Placement placement);
  ~PipeEcho() override;
  void round_trip() override;

 private:
  int to_child_ = -1;
  int from_child_ = -1;
  int child_ = 0;
};

/// Two words in shared memory, with a futex call to wake and one to sleep, or, `spinning`, none.
class FutexEcho final : public Echo {
 public:
  FutexEcho(Placement placement, bool spinning);
  ~FutexEcho() override;
  void round_trip() override;

 private:
  struct Shared;
  [[noreturn]] void answer();

  Shared* shared_ = nullptr;
  bool spinning_ = false;
  int child_ = 0;
};

}  // namespace poolproof::bench
