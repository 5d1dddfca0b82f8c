#include "harness/warden/wait_call.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "harness/sys/fd.h"
#include "harness/sys/proc.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

namespace poolproof::warden {
namespace {

struct Context {
  int pid;
  const sys::BlockedCall& call;
  const Outside& outside;
};

std::string hex(std::uint64_t value) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

bool starts_with(const std::string& text, std::string_view head) {
  return text.rfind(head, 0) == 0;
}

void doubt(WaitCall& wait, const std::string& why) {
  if (wait.doubt.empty()) wait.doubt = why;
}

void add_goal(WaitCall& wait, const std::string& wants, std::string of) {
  const auto is_same = [&](const auto& goal) { return goal.wants == wants && goal.of == of; };
  if (std::any_of(wait.goals.begin(), wait.goals.end(), is_same)) return;
  wait.goals.push_back({wants, std::move(of)});
}

/// What a thread may want of one descriptor.
struct Wish {
  bool byte = false;  // or the end, or a connection
  bool room = false;
};

/// A timeout on the socket does not show in /proc, so a copy of the descriptor is asked. Only unix
/// sockets can have both ends inside.
/// Returns whether it is one that connections arrive at.
bool check_socket(WaitCall& wait, const Context& context, int fd, bool uses_timeout) {
  const sys::Fd copy = copy_of_descriptor(context.pid, fd);
  if (!copy) {
    doubt(wait, "a socket that may not be looked at");
    return false;
  }
  int domain = 0;
  socklen_t size = sizeof domain;
  ::getsockopt(copy.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size);
  if (domain != AF_UNIX) doubt(wait, "a network socket");
  if (domain == AF_UNIX && is_known_outside(copy, context.outside))
    doubt(wait, "a socket that others may know");
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    timeval limit{};
    size = sizeof limit;
    ::getsockopt(copy.get(), SOL_SOCKET, option, &limit, &size);
    if (uses_timeout && (limit.tv_sec != 0 || limit.tv_usec != 0)) wait.timed = true;
  }
  int listens = 0;
  size = sizeof listens;
  ::getsockopt(copy.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
  return listens != 0;
}

bool is_eventfd(const std::string& target) {
  return starts_with(target, "anon_inode:[eventfd]");
}
bool is_signalfd(const std::string& target) {
  return starts_with(target, "anon_inode:[signalfd]");
}
bool is_pidfd(const std::string& target) {
  return starts_with(target, "anon_inode:[pidfd]") || starts_with(target, "pidfd:");
}

void add_goals(WaitCall& wait, const Context& context, int fd, const std::string& target,
               Wish wish) {
  if (is_signalfd(target)) return add_goal(wait, "signal", "");
  if (is_pidfd(target)) {
    const auto pid = sys::pidfd_inner_pid(context.pid, fd);
    return add_goal(wait, "exit", pid ? "process:[" + std::to_string(*pid) + "]" : target);
  }
  const bool is_stream = starts_with(target, "pipe:") || starts_with(target, "socket:");
  const auto name = is_eventfd(target) ? sys::eventfd_name(context.pid, fd) : std::nullopt;
  if (!is_stream) return add_goal(wait, "event", name.value_or(target));
  if (wish.byte) add_goal(wait, "byte", target);
  if (wish.room) add_goal(wait, "room", target);
}

/// What is known of one descriptor that the thread waits for.
void add_descriptor(WaitCall& wait, const Context& context, int fd, Wish wish,
                    bool uses_timeout = false) {
  const auto target = sys::descriptor_target(context.pid, fd);
  if (!target) return doubt(wait, "descriptor " + std::to_string(fd) + " may not be looked at");
  if (!wait.on.empty()) wait.on += ' ';
  wait.on += *target;
  if (starts_with(*target, "pipe:")) {
    if (context.outside.pipes.count(*target) != 0) doubt(wait, "a pipe of the warden's");
  } else if (starts_with(*target, "socket:")) {
    if (check_socket(wait, context, fd, uses_timeout)) return add_goal(wait, "connection", *target);
  } else if (starts_with(*target, "anon_inode:[timerfd]")) {
    wait.timed = true;
  } else if (is_pidfd(*target)) {
    if (!context.outside.contained) doubt(wait, "a process that may be a stranger");
  } else if (!is_eventfd(*target) && !is_signalfd(*target)) {
    doubt(wait, "waits for " + *target);
  }
  add_goals(wait, context, fd, *target, wish);
}

void add_poll(WaitCall& wait, const Context& context) {
  constexpr std::uint64_t kMost = 4096;
  const auto count = context.call.arguments[1];
  if (count > kMost) return doubt(wait, "poll's list is too long to be looked at");
  std::vector<pollfd> wanted(count);
  const auto bytes = wanted.size() * sizeof(pollfd);
  if (bytes > 0 &&
      !sys::read_memory(context.pid, context.call.arguments[0], wanted.data(), bytes)) {
    return doubt(wait, "poll's list could not be read");
  }
  for (const auto& one : wanted) {
    if (one.fd < 0) continue;
    const bool room = (one.events & (POLLOUT | POLLWRNORM)) != 0;
    // Whatever is asked for, the other side's end is told.
    add_descriptor(wait, context, one.fd, {(one.events & POLLIN) != 0 || !room, room});
  }
}

void add_select(WaitCall& wait, const Context& context) {
  const auto count = context.call.arguments[0];
  if (count > FD_SETSIZE) return doubt(wait, "select's sets are too long to be looked at");
  for (int set = 1; set <= 3; ++set) {
    const auto address = context.call.arguments[static_cast<std::size_t>(set)];
    if (address == 0) continue;
    // The kernel reads whole longs, and the subject's set may be no larger than that.
    std::array<unsigned long, FD_SETSIZE / (8 * sizeof(unsigned long))> bits{};
    const auto words = (count + 63) / 64;
    if (!sys::read_memory(context.pid, address, bits.data(), words * sizeof(unsigned long))) {
      return doubt(wait, "select's set could not be read");
    }
    for (std::uint64_t fd = 0; fd < count; ++fd) {
      if ((bits[fd / 64] >> (fd % 64) & 1) != 0)
        add_descriptor(wait, context, static_cast<int>(fd), {set != 2, set == 2});
    }
  }
}

/// fdinfo of an epoll descriptor has a line for each member: "tfd: 5 events: 1 data: 0 pos:0
/// ino:4711 sdev:8". The number is what the member had when it was added: by now it may be another
/// file's, or nobody's here.
void add_epoll(WaitCall& wait, const Context& context) {
  const auto info = sys::descriptor_info(context.pid, static_cast<int>(context.call.arguments[0]));
  if (!info) return doubt(wait, "epoll's members could not be read");
  for (auto at = info->find("tfd:"); at != std::string::npos; at = info->find("tfd:", at + 4)) {
    const int fd = std::atoi(info->c_str() + at + 4);
    const auto inode = info->find("ino:", at);
    const auto now = sys::descriptor_inode(context.pid, fd);
    if (inode == std::string::npos || !now ||
        std::strtoull(info->c_str() + inode + 4, nullptr, 16) != *now) {
      doubt(wait, "an epoll member that is no longer open here");
    }
    const auto events = info->find("events:", at);
    const auto wanted =
        events == std::string::npos ? 0 : std::strtoul(info->c_str() + events + 7, nullptr, 16);
    const bool room = (wanted & EPOLLOUT) != 0;
    add_descriptor(wait, context, fd, {(wanted & EPOLLIN) != 0 || !room, room});
  }
}

bool futex_waits(std::uint64_t operation) {
  const auto command = operation & static_cast<unsigned>(FUTEX_CMD_MASK);
  return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI ||
         command == FUTEX_WAIT_REQUEUE_PI;
}

/// A futex in shared memory is the same word wherever it is mapped.
std::optional<std::string> shared_word(const Context& context) {
  const auto address = context.call.arguments[0];
  if ((context.call.arguments[1] & FUTEX_PRIVATE_FLAG) != 0) return std::nullopt;
  const auto mapping = sys::mapping_at(context.pid, address);
  if (!mapping || !mapping->shared) return std::nullopt;
  return "futex:" + mapping->file + "+" + hex(address - mapping->begin + mapping->offset);
}

void add_futex(WaitCall& wait, const Context& context) {
  const auto& arguments = context.call.arguments;
  wait.on = hex(arguments[0]);
  if (!futex_waits(arguments[1])) return doubt(wait, "a futex call that is no wait");
  wait.timed |= arguments[3] != 0;
  if (futex_is_known_outside(context.pid, arguments[0], arguments[1], context.outside))
    doubt(wait, "a futex in a file that others may map");
  const auto shared = shared_word(context);
  const auto command = static_cast<int>(arguments[1] & static_cast<unsigned>(FUTEX_CMD_MASK));
  wait.futex = FutexWait{arguments[0], command, static_cast<std::uint32_t>(arguments[2]),
                         shared.has_value()};
  add_goal(wait, "wake", shared.value_or("futex:" + wait.on));
}

int descriptor_of(const Context& context) {
  return static_cast<int>(context.call.arguments[0]);
}
void add_reading(WaitCall& wait, const Context& context) {
  add_descriptor(wait, context, descriptor_of(context), {.byte = true}, true);
}
void add_writing(WaitCall& wait, const Context& context) {
  add_descriptor(wait, context, descriptor_of(context), {.room = true}, true);
}

void add_exit(WaitCall& wait, int inner) {
  add_goal(wait, "exit", "process:[" + std::to_string(inner) + "]");
}

/// `only`: one child, by its number in the caller's namespace; 0: all of them.
void add_children(WaitCall& wait, const Context& context, int only) {
  wait.on = "children";
  if (only > 0) return add_exit(wait, only);
  for (const int child : sys::children_of(context.pid)) {
    const auto status = sys::task_status(child);
    if (status) add_exit(wait, status->inner_pid);
  }
}
void add_wait4(WaitCall& wait, const Context& context) {
  add_children(wait, context, static_cast<int>(context.call.arguments[0]));
}
void add_waitid(WaitCall& wait, const Context& context) {
  const auto kind = static_cast<idtype_t>(context.call.arguments[0]);
  const auto id = static_cast<int>(context.call.arguments[1]);
  const int by_handle = kind == P_PIDFD ? sys::pidfd_inner_pid(context.pid, id).value_or(0) : 0;
  add_children(wait, context, kind == P_PID ? id : by_handle);
}
void add_signals(WaitCall& wait, const Context&) {
  wait.on = "signals";
  add_goal(wait, "signal", "");
}

/// How to read one call's arguments. `timeout` is the argument that is a null pointer (kPointer) or
/// a negative number (kNumber) when the call waits for ever; kNever: it has none.
struct CallEntry {
  long number;
  const char* name;
  void (*add)(WaitCall&, const Context&);
  enum { kNever, kPointer, kNumber } kind = kNever;
  std::size_t timeout = 0;
};

constexpr CallEntry kCalls[] = {
    {SYS_futex, "futex", add_futex},
    {SYS_read, "read", add_reading},
    {SYS_readv, "readv", add_reading},
    {SYS_write, "write", add_writing},
    {SYS_writev, "writev", add_writing},
    {SYS_recvfrom, "recvfrom", add_reading},
    {SYS_recvmsg, "recvmsg", add_reading},
    {SYS_sendto, "sendto", add_writing},
    {SYS_sendmsg, "sendmsg", add_writing},
    {SYS_accept, "accept", add_reading},
    {SYS_accept4, "accept4", add_reading},
    {SYS_wait4, "wait4", add_wait4},
    {SYS_waitid, "waitid", add_waitid},
    {SYS_ppoll, "ppoll", add_poll, CallEntry::kPointer, 2},
    {SYS_pselect6, "pselect6", add_select, CallEntry::kPointer, 4},
    {SYS_epoll_pwait, "epoll_pwait", add_epoll, CallEntry::kNumber, 3},
    {SYS_rt_sigsuspend, "rt_sigsuspend", add_signals},
    {SYS_rt_sigtimedwait, "rt_sigtimedwait", add_signals, CallEntry::kPointer, 2},
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2, "epoll_pwait2", add_epoll, CallEntry::kPointer, 3},
#endif
#ifdef SYS_poll
    {SYS_poll, "poll", add_poll, CallEntry::kNumber, 2},
#endif
#ifdef SYS_select
    {SYS_select, "select", add_select, CallEntry::kPointer, 4},
#endif
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, "epoll_wait", add_epoll, CallEntry::kNumber, 3},
#endif
#ifdef SYS_pause
    {SYS_pause, "pause", add_signals},
#endif
};

bool has_timeout(const CallEntry& entry, const sys::BlockedCall& call) {
  const auto argument = call.arguments[entry.timeout];
  switch (entry.kind) {
    case CallEntry::kNever:
      return false;
    case CallEntry::kPointer:
      return argument != 0;
    case CallEntry::kNumber:
      return static_cast<std::int32_t>(argument) >= 0;
  }
  return true;
}

bool is_plain_sleep(long number) {
#ifdef SYS_nanosleep
  if (number == SYS_nanosleep) return true;
#endif
  return number == SYS_clock_nanosleep;
}

/// poll goes on as restart_syscall after a stop or a signal without a handler, with its arguments
/// still in their registers. So do sleeps and timed futex waits; the wait channel tells them apart.
bool is_restarted_poll(int pid, int tid, long number) {
#ifdef SYS_poll
  if (number != SYS_restart_syscall) return false;
  const auto channel = sys::wait_channel(pid, tid);
  return channel && (starts_with(*channel, "poll_schedule_timeout") ||
                     starts_with(*channel, "do_sys_poll") || starts_with(*channel, "do_poll"));
#else
  return false;
#endif
}

/// A thread may sleep on its way out of a call, which then still shows: stopped by a freezer or a
/// debugger, or in a page fault that a program serves. The wait channel tells, where the kernel
/// shows it.
bool is_held_up(int pid, int tid) {
  const auto channel = sys::wait_channel(pid, tid);
  if (!channel) return false;
  constexpr std::string_view kWays[] = {"freez",     "refrigerator",      "ptrace",
                                        "userfault", "user_notification", "signal_stop"};
  return std::any_of(std::begin(kWays), std::end(kWays),
                     [&](const auto way) { return channel->find(way) != std::string::npos; });
}

}  // namespace

std::optional<WaitCall> describe_wait(int pid, int tid, const Outside& outside) {
  auto call = sys::blocked_call(pid, tid);
  if (!call || call->running || call->number < 0 || is_held_up(pid, tid)) return std::nullopt;
#ifdef SYS_poll
  if (is_restarted_poll(pid, tid, call->number)) call->number = SYS_poll;
#endif
  WaitCall wait;
  if (is_plain_sleep(call->number)) {
    wait.name = "sleep";
    wait.timed = true;
    return wait;
  }
  const auto* entry = std::find_if(std::begin(kCalls), std::end(kCalls),
                                   [&](const auto& e) { return e.number == call->number; });
  if (entry == std::end(kCalls)) {
    wait.name = "call " + std::to_string(call->number);
    wait.doubt = "not known to be untimed";
    return wait;
  }
  wait.name = entry->name;
  wait.timed = has_timeout(*entry, *call);
  entry->add(wait, {pid, *call, outside});
  return wait;
}

}  // namespace poolproof::warden
