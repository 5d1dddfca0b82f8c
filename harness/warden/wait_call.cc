#include "harness/warden/wait_call.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <vector>

#include "harness/sys/fd.h"
#include "harness/sys/proc.h"

extern "C" {  // glibc 2.36 forgets it
#include <sys/pidfd.h>
}

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

bool starts_with(const std::string& text, std::string_view head) { return text.rfind(head, 0) == 0; }

void doubt(WaitCall& wait, const std::string& why) {
  if (wait.doubt.empty()) wait.doubt = why;
}

/// A socket without a name is known to those only who inherited it; one named by a path under a
/// private /tmp to those inside. An abstract name cannot be told from the machine's.
bool reachable_from_outside(const sockaddr_un& address, socklen_t size, const Outside& outside) {
  if (size <= sizeof address.sun_family) return false;
  const bool in_tmp = std::strncmp(address.sun_path, "/tmp/", 5) == 0;
  return !(in_tmp && outside.private_tmp);
}

/// A timeout on the socket does not show in /proc, so a copy of the descriptor is asked. Only unix
/// sockets can have both ends inside.
void check_socket(WaitCall& wait, const Context& context, int fd, bool uses_timeout) {
  const sys::Fd process(::pidfd_open(context.pid, 0));
  const sys::Fd copy(process ? ::pidfd_getfd(process.get(), fd, 0) : -1);
  if (!copy) return doubt(wait, "a socket that may not be looked at");
  int domain = 0;
  socklen_t size = sizeof domain;
  ::getsockopt(copy.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size);
  if (domain != AF_UNIX) return doubt(wait, "a network socket");
  for (const auto ask : {&::getsockname, &::getpeername}) {
    sockaddr_un address{};
    size = sizeof address;
    if (ask(copy.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
    if (reachable_from_outside(address, size, context.outside)) doubt(wait, "a socket that others may know");
  }
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    timeval limit{};
    size = sizeof limit;
    ::getsockopt(copy.get(), SOL_SOCKET, option, &limit, &size);
    if (uses_timeout && (limit.tv_sec != 0 || limit.tv_usec != 0)) wait.timed = true;
  }
}

/// What is known of one descriptor that the thread waits for.
void add_descriptor(WaitCall& wait, const Context& context, int fd, bool uses_timeout) {
  const auto target = sys::descriptor_target(context.pid, fd);
  if (!target) return doubt(wait, "descriptor " + std::to_string(fd) + " may not be looked at");
  if (!wait.on.empty()) wait.on += ' ';
  wait.on += *target;
  if (starts_with(*target, "pipe:")) {
    if (context.outside.pipes.count(*target) != 0) doubt(wait, "a pipe of the warden's");
  } else if (starts_with(*target, "socket:")) {
    check_socket(wait, context, fd, uses_timeout);
  } else if (starts_with(*target, "anon_inode:[timerfd]")) {
    wait.timed = true;
  } else if (!starts_with(*target, "anon_inode:[eventfd]") && !starts_with(*target, "anon_inode:[pidfd]") &&
             !starts_with(*target, "anon_inode:[signalfd]")) {
    doubt(wait, "waits for " + *target);
  }
}

void add_poll(WaitCall& wait, const Context& context) {
  std::vector<pollfd> wanted(std::min<std::uint64_t>(context.call.arguments[1], 4096));
  const auto bytes = wanted.size() * sizeof(pollfd);
  if (bytes > 0 && !sys::read_memory(context.pid, context.call.arguments[0], wanted.data(), bytes)) {
    return doubt(wait, "poll's list could not be read");
  }
  for (const auto& one : wanted) {
    if (one.fd >= 0) add_descriptor(wait, context, one.fd, false);
  }
}

void add_select(WaitCall& wait, const Context& context) {
  const auto count = std::min<std::uint64_t>(context.call.arguments[0], FD_SETSIZE);
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
      if ((bits[fd / 64] >> (fd % 64) & 1) != 0) add_descriptor(wait, context, static_cast<int>(fd), false);
    }
  }
}

/// fdinfo of an epoll descriptor has a line "tfd: N" for each member.
void add_epoll(WaitCall& wait, const Context& context) {
  const auto info = sys::descriptor_info(context.pid, static_cast<int>(context.call.arguments[0]));
  if (!info) return doubt(wait, "epoll's members could not be read");
  for (auto at = info->find("tfd:"); at != std::string::npos; at = info->find("tfd:", at + 4)) {
    add_descriptor(wait, context, std::atoi(info->c_str() + at + 4), false);
  }
}

bool futex_waits(std::uint64_t operation) {
  const auto command = operation & static_cast<unsigned>(FUTEX_CMD_MASK);
  return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI ||
         command == FUTEX_WAIT_REQUEUE_PI;
}

void add_futex(WaitCall& wait, const Context& context) {
  wait.on = hex(context.call.arguments[0]);
  if (!futex_waits(context.call.arguments[1])) return doubt(wait, "a futex call that is no wait");
  wait.timed = context.call.arguments[3] != 0;
}

void add_descriptor_call(WaitCall& wait, const Context& context) {
  add_descriptor(wait, context, static_cast<int>(context.call.arguments[0]), true);
}

void add_children(WaitCall& wait, const Context&) { wait.on = "children"; }
void add_signals(WaitCall& wait, const Context&) { wait.on = "signals"; }

/// How to read one call's arguments. `timeout` is the argument that is a null pointer (kPointer) or a
/// negative number (kNumber) when the call waits for ever; kNever: it has none.
struct CallEntry {
  long number;
  const char* name;
  void (*add)(WaitCall&, const Context&);
  enum { kNever, kPointer, kNumber } kind = kNever;
  std::size_t timeout = 0;
};

constexpr CallEntry kCalls[] = {
    {SYS_futex, "futex", add_futex},
    {SYS_read, "read", add_descriptor_call},
    {SYS_readv, "readv", add_descriptor_call},
    {SYS_write, "write", add_descriptor_call},
    {SYS_writev, "writev", add_descriptor_call},
    {SYS_recvfrom, "recvfrom", add_descriptor_call},
    {SYS_recvmsg, "recvmsg", add_descriptor_call},
    {SYS_sendto, "sendto", add_descriptor_call},
    {SYS_sendmsg, "sendmsg", add_descriptor_call},
    {SYS_accept, "accept", add_descriptor_call},
    {SYS_accept4, "accept4", add_descriptor_call},
    {SYS_wait4, "wait4", add_children},
    {SYS_waitid, "waitid", add_children},
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
    case CallEntry::kNever: return false;
    case CallEntry::kPointer: return argument != 0;
    case CallEntry::kNumber: return static_cast<std::int32_t>(argument) >= 0;
  }
  return true;
}

bool is_plain_sleep(long number) {
#ifdef SYS_nanosleep
  if (number == SYS_nanosleep) return true;
#endif
  return number == SYS_clock_nanosleep;
}

}  // namespace

std::optional<WaitCall> describe_wait(int pid, int tid, const Outside& outside) {
  const auto call = sys::blocked_call(pid, tid);
  if (!call || call->running || call->number < 0) return std::nullopt;
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
  if (!wait.timed) entry->add(wait, {pid, *call, outside});
  return wait;
}

}  // namespace poolproof::warden
