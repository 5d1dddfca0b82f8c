// Waits that nothing can end: each hangs for ever, and the warden should be able to prove it.
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/warden/testing/subject.h"

namespace {

char byte;

struct Ends {
  int out;
  int in;
};

/// A pipe of which this process holds both ends.
Ends own_pipe() {
  int ends[2];
  checked(pipe(ends), "pipe");
  return {ends[0], ends[1]};
}

int wait_read(char**) {
  return static_cast<int>(read(own_pipe().out, &byte, 1));
}

int wait_write(char**) {
  const int in = own_pipe().in;
  static char block[65536];
  for (;;) {
    if (write(in, block, sizeof block) < 0) fail("write");
  }
}

int wait_futex(char** words) {
  const bool shared = strcmp(words[0], "shared") == 0;
  const int sharing = shared ? MAP_SHARED : MAP_PRIVATE;
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
  const int call = shared ? FUTEX_WAIT : FUTEX_WAIT | FUTEX_PRIVATE_FLAG;
  syscall(SYS_futex, page, call, 0, nullptr, nullptr, 0);
  return 98;
}

int wait_futex_of_two(char**) {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  (void)checked(fork(), "fork");
  syscall(SYS_futex, page, FUTEX_WAIT, 0, nullptr, nullptr, 0);
  return 98;
}

pthread_mutex_t contended;
int told[2];

void* hold_for_ever(void*) {
  pthread_mutex_lock(&contended);
  (void)!write(told[1], "", 1);
  (void)!read(own_pipe().out, &byte, 1);
  return nullptr;
}

int wait_lock(char** words) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if (strcmp(words[0], "recursive") == 0)
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  if (strcmp(words[0], "robust") == 0)
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  if (strcmp(words[0], "priority") == 0)
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  if (pthread_mutex_init(&contended, &attributes) != 0) fail("pthread_mutex_init");
  checked(pipe(told), "pipe");
  pthread_t thread;
  if (pthread_create(&thread, nullptr, hold_for_ever, nullptr) != 0) fail("pthread_create");
  if (read(told[0], &byte, 1) != 1) fail("read");
  return pthread_mutex_lock(&contended);
}

int wait_child(char**) {
  if (checked(fork(), "fork") == 0) wait_read(nullptr);
  wait(nullptr);
  return 98;
}

int wait_poll(char**) {
  pollfd wanted[] = {{own_pipe().out, POLLIN, 0}, {own_pipe().out, POLLIN, 0}, {-1, POLLIN, 0}};
  poll(wanted, 3, -1);
  return 98;
}

/// A signal without a handler turns the poll into restart_syscall.
int wait_poll_after_signal(char**) {
  pollfd wanted{own_pipe().out, POLLIN, 0};
  const pid_t parent = getpid();
  if (checked(fork(), "fork") == 0) {
    // Until main sleeps in its poll, so that our death's SIGCHLD meets it there.
    await_process_state(parent, "S");
    _exit(0);
  }
  poll(&wanted, 1, -1);
  return 98;
}

int wait_ppoll(char**) {
  pollfd wanted{own_pipe().out, POLLIN, 0};
  ppoll(&wanted, 1, nullptr, nullptr);
  return 98;
}

int wait_epoll(char**) {
  const int set = static_cast<int>(checked(epoll_create1(0), "epoll_create1"));
  epoll_event event{};
  event.events = EPOLLIN;
  checked(epoll_ctl(set, EPOLL_CTL_ADD, own_pipe().out, &event), "epoll_ctl");
  checked(epoll_ctl(set, EPOLL_CTL_ADD, eventfd(0, 0), &event), "epoll_ctl");
  epoll_wait(set, &event, 1, -1);
  return 98;
}

int wait_select(char**) {
  fd_set wanted;
  FD_ZERO(&wanted);
  const int out = own_pipe().out;
  FD_SET(out, &wanted);
  select(out + 1, &wanted, nullptr, nullptr, nullptr);
  return 98;
}

int wait_sigsuspend(char**) {
  sigset_t none;
  sigemptyset(&none);
  sigsuspend(&none);
  return 98;
}

int wait_sigwait(char**) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGUSR1);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  siginfo_t info;
  sigwaitinfo(&wanted, &info);
  return 98;
}

int wait_signalfd(char**) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGUSR1);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  signalfd_siginfo info;
  const int fd = signalfd(-1, &wanted, 0);
  return static_cast<int>(read(fd, &info, sizeof info));
}

int wait_eventfd(char**) {
  const int fd = static_cast<int>(checked(eventfd(0, 0), "eventfd"));
  uint64_t value;
  return static_cast<int>(read(fd, &value, sizeof value));
}

int wait_pidfd(char**) {
  const pid_t child = static_cast<pid_t>(checked(fork(), "fork"));
  if (child == 0) wait_for_ever();
  const int fd = static_cast<int>(checked(syscall(SYS_pidfd_open, child, 0), "pidfd_open"));
  pollfd wanted{fd, POLLIN, 0};
  poll(&wanted, 1, -1);
  return 98;
}

int wait_socket_pair(char**) {
  int ends[2];
  checked(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
  return static_cast<int>(recv(ends[0], &byte, 1, 0));
}

int wait_accept(char** words) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  strncpy(name.sun_path, words[0], sizeof name.sun_path - 1);
  const int fd = static_cast<int>(checked(socket(AF_UNIX, SOCK_STREAM, 0), "socket"));
  checked(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name), words[0]);
  checked(listen(fd, 1), "listen");
  return accept(fd, nullptr, nullptr);
}

void* read_for_ever(void*) {
  wait_read(nullptr);
  return nullptr;
}

int wait_join(char**) {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, read_for_ever, nullptr) != 0) fail("pthread_create");
  return pthread_join(thread, nullptr);
}

int stop_self(char**) {
  kill(getpid(), SIGSTOP);
  return 0;
}

/// Stops itself, and is set going again by a child that has seen it stand.
int stop_and_continue(char**) {
  const pid_t parent = getpid();
  if (checked(fork(), "fork") == 0) {
    await_process_state(parent, "tT");
    kill(parent, SIGCONT);
    _exit(0);
  }
  kill(parent, SIGSTOP);
  wait(nullptr);
  return 7;
}

/// Main is gone; what is left sleeps for ever.
int lost_child(char**) {
  if (checked(fork(), "fork") == 0) wait_read(nullptr);
  return 0;
}

}  // namespace

const Mode kWaitModes[] = {{"wait-read", wait_read},
                           {"wait-write", wait_write},
                           {"wait-futex", wait_futex},
                           {"wait-futex-of-two", wait_futex_of_two},
                           {"wait-lock", wait_lock},
                           {"wait-child", wait_child},
                           {"wait-poll", wait_poll},
                           {"wait-poll-after-signal", wait_poll_after_signal},
                           {"wait-ppoll", wait_ppoll},
                           {"wait-epoll", wait_epoll},
                           {"wait-select", wait_select},
                           {"wait-sigsuspend", wait_sigsuspend},
                           {"wait-sigwait", wait_sigwait},
                           {"wait-signalfd", wait_signalfd},
                           {"wait-eventfd", wait_eventfd},
                           {"wait-pidfd", wait_pidfd},
                           {"wait-socket-pair", wait_socket_pair},
                           {"wait-accept", wait_accept},
                           {"wait-join", wait_join},
                           {"stop-self", stop_self},
                           {"stop-and-continue", stop_and_continue},
                           {"lost-child", lost_child},
                           {}};
