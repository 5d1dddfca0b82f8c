#include "worker.hpp"

#include <cxxabi.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <poolproof/detail/failure.hpp>
#include <poolproof/detail/task.hpp>
#include <string_view>
#include <utility>

#include "at_fork.hpp"
#include "descriptors.hpp"
#include "image.hpp"
#include "lifeline.hpp"
#include "output.hpp"
#include "ring_memory.hpp"
#include "signals.hpp"
#include "timesheet.hpp"
#include "wire.hpp"
#include "worker_channel.hpp"

extern "C" {
#include <sys/pidfd.h>
}

namespace poolproof::detail {
namespace {

/// Out of the way of numbers that a FILE* or a library of main's remembers:
/// their descriptors are closed here, and what they write must not end up in
/// our channel.
constexpr int kChannelFrom = 512;

[[noreturn]] void leave(int status) {
  flush_output();
  ::_exit(status);
}

/// For exit() within a task: runs before all handlers inherited from main,
/// since the last registered comes first.
void leave_at_exit(int status, void* /*unused*/) {
  leave(status);
}

class Worker {
 public:
  explicit Worker(const WorkerSetup& setup) : setup_(setup) {}
  [[noreturn]] void run();
  void begin_item() { timesheet_.begin_item(); }

 private:
  void settle();
  void take_name() const;
  void take_standard_streams() const;
  void work(WorkerChannel& channel, const WorkerChannel::Task& task);
  FrameKind perform(std::uint64_t function, std::string_view arguments, Bytes& result);

  WorkerSetup setup_;
  SharedRing* ring_ = nullptr;
  Timesheet timesheet_;
  bool guards_exit_ = false;
  Bytes result_;
};

/// That of this process; null in main.
Worker* this_worker = nullptr;

void Worker::run() {
  settle();
  timesheet_ = Timesheet(ring_->status);
  this_worker = this;
  WorkerChannel channel(setup_.channel, *ring_);
  channel.set_ready();
  for (;;) {
    const WorkerChannel::Task task = channel.next();
    if (task.header.kind == FrameKind::quit) leave(0);
    work(channel, task);
  }
}

void Worker::settle() {
  // First of all: from here on the supervisor's death is ours.
  lifeline::bind_to_supervisor(setup_.supervisor);
  // Keeps daemonised children of its tasks below it, for the supervisor to
  // know whose they are when they must go.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  take_standard_streams();
  const int high = ::fcntl(setup_.channel, F_DUPFD_CLOEXEC, kChannelFrom);
  if (high >= 0) setup_.channel = high;  // else the limit is low: keep it
  ForkRegistry::instance().set_worker_channel(setup_.channel);
  std::array<int, 2> keep{setup_.channel, setup_.ring};
  close_all_but(keep.data(), keep.size());
  ring_ = RingMemory::map(Fd(setup_.ring));
  if (!ring_) ::_exit(1);
  take_name();
  reset_dispositions();
  // Last: a signal sent meanwhile takes its default action now.
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// "pool-worker-N"; not by snprintf, which may take locks.
void Worker::take_name() const {
  std::array<char, 34> name{"pool-worker-"};
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), setup_.serial).ptr;
  std::copy(digits.begin(), end, name.begin() + std::strlen(name.data()));
  ::prctl(PR_SET_NAME, name.data());
}

/// 0 is /dev/null already, as in the supervisor; so are 1 and 2 if main has
/// none.
void Worker::take_standard_streams() const {
  if (setup_.output >= 0) ::dup2(setup_.output, STDOUT_FILENO);
  if (setup_.error >= 0) ::dup2(setup_.error, STDERR_FILENO);
  // What main has read ahead is still main's input.
  ::__fpurge(stdin);
  std::streambuf* const input = std::cin.rdbuf();
  while (input && input->in_avail() > 0) input->sbumpc();
}

void Worker::work(WorkerChannel& channel, const WorkerChannel::Task& task) {
  // Not while the worker starts: it takes a lock of libc's that another thread of main's may have
  // held at the fork.
  if (!std::exchange(guards_exit_, true)) ::on_exit(&leave_at_exit, nullptr);
  timesheet_.begin(task.header.task);
  result_.clear();
  FrameHeader answer;
  answer.task = task.header.task;
  if (task.lost) {
    answer.kind = FrameKind::failure;
    result_ = encode_failure(task.lost);
  } else {
    answer.kind = perform(task.header.function, task.arguments, result_);
  }
  // A child of the task that came back from it: there is nothing for it to do here.
  if (!ForkRegistry::instance().is_worker()) lifeline::channel_lost();
  timesheet_.end(task.header.kind == FrameKind::initializer);
  // Before the answer: who has the result may read the output.
  flush_output();
  try {
    channel.answer(answer, result_);
  } catch (...) {  // no descriptor for a large one
    answer.kind = FrameKind::failure;
    result_ = encode_failure(std::current_exception());
    channel.answer(answer, result_);
  }
}

FrameKind Worker::perform(std::uint64_t function, std::string_view arguments, Bytes& result) {
  try {
    const Invoke invoke =
        setup_.is_copy_of_main ? std::bit_cast<Invoke>(function) : image::function_at(function);
    invoke(arguments, result);
    return FrameKind::value;
  } catch (...) {
    // Without a type it is pthread_exit. To go on would unwind main's own frames, which lie below
    // ours on this stack, and run their destructors here.
    if (!abi::__cxa_current_exception_type()) leave(0);
    result = encode_failure(std::current_exception());
    return FrameKind::failure;
  }
}

}  // namespace

void begin_item() {
  if (this_worker) this_worker->begin_item();
}

void run_worker(const WorkerSetup& setup) {
  Worker(setup).run();
}

int open_pidfd(pid_t pid) {
  return ::pidfd_open(pid, 0);
}

}  // namespace poolproof::detail
