#include "worker.hpp"

#include <cxxabi.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <poolproof/detail/failure.hpp>
#include <poolproof/detail/task.hpp>
#include <string>
#include <utility>

#include "at_fork.hpp"
#include "descriptors.hpp"
#include "image.hpp"
#include "lifeline.hpp"
#include "signals.hpp"
#include "status_board.hpp"
#include "timesheet.hpp"
#include "wire.hpp"

extern "C" {
#include <sys/pidfd.h>
}

namespace poolproof::detail {
namespace {

/// Out of the way of numbers that a FILE* or a library of main's remembers:
/// their descriptors are closed here, and what they write must not end up in
/// our channel.
constexpr int kChannelFrom = 512;
constexpr std::size_t kKeptBuffer = std::size_t{1} << 20;

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
  bool receive(void* data, std::size_t size) const;
  void send(const FrameHeader& header, std::string_view payload) const;
  void work(const FrameHeader& task);
  FrameKind perform(std::uint64_t function, std::string_view arguments, Bytes& result);

  WorkerSetup setup_;
  WorkerStatus* status_ = nullptr;
  Timesheet timesheet_;
  bool guards_exit_ = false;
  std::string arguments_;
  Bytes result_;
};

/// That of this process; null in main.
Worker* this_worker = nullptr;

void Worker::run() {
  settle();
  timesheet_ = Timesheet(*status_);
  this_worker = this;
  status_->ready.store(1, std::memory_order_release);
  for (;;) {
    FrameHeader header;
    if (!receive(&header, sizeof header)) lifeline::channel_lost();
    if (header.kind == FrameKind::quit) leave(0);
    arguments_.resize(header.size);
    if (!receive(arguments_.data(), arguments_.size())) {
      lifeline::channel_lost();
    }
    work(header);
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
  std::array<int, 2> keep{setup_.channel, setup_.board};
  close_all_but(keep.data(), keep.size());
  status_ = StatusBoard::map_slot(setup_.board, setup_.slot);
  if (!status_) ::_exit(1);
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

/// False when main's end is gone, or ours: a task may have closed it.
bool Worker::receive(void* data, std::size_t size) const {
  auto* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = ::read(setup_.channel, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

/// May block; main never does, so it always goes on.
void Worker::send(const FrameHeader& header, std::string_view payload) const {
  std::array<iovec, 2> parts{{{const_cast<FrameHeader*>(&header), sizeof header},
                              {const_cast<char*>(payload.data()), payload.size()}}};
  while (parts[0].iov_len + parts[1].iov_len > 0) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t rc = ::sendmsg(setup_.channel, &message, MSG_NOSIGNAL);
    if (rc < 0 && errno == EINTR) continue;
    if (rc < 0) lifeline::channel_lost();
    auto sent = static_cast<std::size_t>(rc);
    for (iovec& part : parts) {
      const std::size_t done = std::min(sent, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + done;
      part.iov_len -= done;
      sent -= done;
    }
  }
}

void Worker::work(const FrameHeader& task) {
  // Not while the worker starts: it takes a lock of libc's that another thread of main's may have
  // held at the fork.
  if (!std::exchange(guards_exit_, true)) ::on_exit(&leave_at_exit, nullptr);
  timesheet_.begin(task.task);
  result_.clear();
  FrameHeader answer;
  answer.task = task.task;
  answer.kind = perform(task.function, arguments_, result_);
  timesheet_.end(task.kind == FrameKind::initializer);
  answer.size = result_.size();
  // Before the answer: who has the result may read the output.
  flush_output();
  send(answer, result_.view());
  // One huge task must not cost its memory for ever.
  if (arguments_.capacity() > kKeptBuffer) std::string().swap(arguments_);
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

void flush_output() {
  std::cout.flush();
  std::cerr.flush();
  std::clog.flush();
  std::wcout.flush();
  std::wcerr.flush();
  std::wclog.flush();
  std::fflush(nullptr);
}

}  // namespace poolproof::detail
