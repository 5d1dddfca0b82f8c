#pragma once

#include <exception>
#include <poolproof/detail/bytes.hpp>
#include <string_view>

#include "fd.hpp"
#include "kept_files.hpp"
#include "mapping.hpp"
#include "ring.hpp"
#include "spin.hpp"
#include "wire.hpp"

namespace poolproof::detail {

/// The worker's end of its channel: waits for tasks, hands out answers. It trusts main. Leaves the
/// process by lifeline::channel_lost where main's end is gone, or ours: a task may have closed it.
/// Thread: the worker's only.
class WorkerChannel {
 public:
  /// socket: stays the caller's to close, or a child's of its tasks.
  WorkerChannel(int socket, SharedRing& ring);

  /// From now on main may take this worker for one that works.
  void set_ready();

  struct Task {
    FrameHeader header;
    std::string_view arguments;  ///< valid until the next call
    std::exception_ptr lost;     ///< set if they could not be taken in
  };
  /// Waits for the next one: looks, then sleeps on a futex, after a while in recv(2), which also
  /// ends with main. Begins it.
  Task next();

  /// Leaves, too, if a task has overwritten the ring. Large payloads need a descriptor. Errors:
  /// std::system_error if there is none, or the kernel does not carry it now.
  void answer(FrameHeader header, Bytes& payload);

 private:
  void await_task(Record& record);
  bool spin();
  template <class Condition>
  void sleep_until(Doorbell& bell, Condition there);
  void keep_no_memory();
  void await_message();
  void take_file(const FrameHeader& header);
  void send_file(std::uint64_t task, PayloadFile& file);
  std::uint64_t free_lease();
  void wake_main();

  int socket_;
  SharedRing& ring_;
  TaskReader tasks_;
  ResultWriter results_;
  Sleeper sleeper_;
  Waker waker_;
  SpinBudget spinning_;
  std::uint64_t file_task_ = 0;
  Fd file_;
  MappingCache mappings_;
  KeptFiles::User keeps_files_;
  Bytes arguments_;  // of a large payload
};

}  // namespace poolproof::detail
