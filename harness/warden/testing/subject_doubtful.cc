// Waits that end by themselves, if late, or that somebody outside could end: none may be taken for
// a proved hang.
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/warden/testing/subject.h"

namespace {

constexpr int kLongMs = 100'000;
const timespec kLong{100, 0};
char byte;

int quiet_pipe() {
  int ends[2];
  checked(pipe(ends), "pipe");
  return ends[0];
}

int timed_poll(char**) {
  pollfd wanted{quiet_pipe(), POLLIN, 0};
  return poll(&wanted, 1, kLongMs);
}

int timed_poll_after_signal(char**) {
  const pid_t parent = getpid();
  if (checked(fork(), "fork") == 0) {
    await_process_state(parent, "S");
    _exit(0);
  }
  return timed_poll(nullptr);
}

int timed_ppoll(char**) {
  pollfd wanted{quiet_pipe(), POLLIN, 0};
  return ppoll(&wanted, 1, &kLong, nullptr);
}

int timed_select(char**) {
  timeval limit{100, 0};
  return select(0, nullptr, nullptr, nullptr, &limit);
}

int timed_epoll(char**) {
  epoll_event event{};
  return epoll_wait(static_cast<int>(checked(epoll_create1(0), "epoll_create1")), &event, 1,
                    kLongMs);
}

int timed_sleep(char**) {
  return nanosleep(&kLong, nullptr);
}

int timed_clock_sleep(char**) {
  const timespec little{0, 1000000};
  for (;;) clock_nanosleep(CLOCK_MONOTONIC, 0, &little, nullptr);
}

int timed_futex(char**) {
  static int word;
  return static_cast<int>(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &kLong, nullptr, 0));
}

int timed_sigwait(char**) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGUSR1);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  return sigtimedwait(&wanted, nullptr, &kLong);
}

int timed_socket(char**) {
  int ends[2];
  checked(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
  const timeval limit{100, 0};
  checked(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), "SO_RCVTIMEO");
  return static_cast<int>(recv(ends[0], &byte, 1, 0));
}

int ticking_descriptor() {
  const int fd = static_cast<int>(checked(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create"));
  const itimerspec once{{0, 0}, kLong};
  checked(timerfd_settime(fd, 0, &once, nullptr), "timerfd_settime");
  return fd;
}

int timer_descriptor(char**) {
  uint64_t expirations;
  return static_cast<int>(read(ticking_descriptor(), &expirations, sizeof expirations));
}

int timer_in_epoll(char**) {
  const int set = static_cast<int>(checked(epoll_create1(0), "epoll_create1"));
  epoll_event event{};
  event.events = EPOLLIN;
  checked(epoll_ctl(set, EPOLL_CTL_ADD, ticking_descriptor(), &event), "epoll_ctl");
  return epoll_wait(set, &event, 1, -1);
}

/// The member's number has become a quiet pipe's; a child keeps the timer open.
int timer_in_epoll_renamed(char**) {
  const int set = static_cast<int>(checked(epoll_create1(0), "epoll_create1"));
  const int timer = ticking_descriptor();
  epoll_event event{};
  event.events = EPOLLIN;
  checked(epoll_ctl(set, EPOLL_CTL_ADD, timer, &event), "epoll_ctl");
  checked(dup(timer), "dup");
  checked(dup2(quiet_pipe(), timer), "dup2");
  return epoll_wait(set, &event, 1, -1);
}

int with_alarm(char**) {
  alarm(100);
  wait_for_ever();
}

int with_alarm_before_exec(char**) {
  alarm(100);
  become("wait-sigsuspend", nullptr);
}

int with_interval_timer(char**) {
  const itimerval once{{0, 0}, {100, 0}};
  checked(setitimer(ITIMER_REAL, &once, nullptr), "setitimer");
  wait_for_ever();
}

int with_posix_timer(char**) {
  timer_t timer;
  checked(timer_create(CLOCK_MONOTONIC, nullptr, &timer), "timer_create");
  const itimerspec once{{0, 0}, kLong};
  checked(timer_settime(timer, 0, &once, nullptr), "timer_settime");
  wait_for_ever();
}

void* spin_for_ever(void*) {
  for (;;) __asm__ volatile("");
}

int spinning(char**) {
  spin_for_ever(nullptr);
  return 98;
}

int one_thread_spins(char**) {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, spin_for_ever, nullptr) != 0) fail("pthread_create");
  return pthread_join(thread, nullptr);
}

int one_child_spins(char**) {
  if (checked(fork(), "fork") == 0) spin_for_ever(nullptr);
  return wait(nullptr);
}

int network_socket(char**) {
  sockaddr_in any{};
  any.sin_family = AF_INET;
  const int fd = static_cast<int>(checked(socket(AF_INET, SOCK_STREAM, 0), "socket"));
  checked(bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any), "bind");
  checked(listen(fd, 1), "listen");
  return accept(fd, nullptr, nullptr);
}

int named_pipe(char**) {
  checked(mkfifo("/tmp/fifo", 0600), "mkfifo");
  return static_cast<int>(read(open("/tmp/fifo", O_RDWR), &byte, 1));
}

/// A futex in a file that is not only ours.
int file_futex(char** words) {
  const int fd = static_cast<int>(checked(open(words[0], O_RDWR | O_CREAT, 0600), words[0]));
  checked(ftruncate(fd, 4096), "ftruncate");
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return static_cast<int>(syscall(SYS_futex, page, FUTEX_WAIT, 0, nullptr, nullptr, 0));
}

/// A file that others may have opened before its name went.
int nameless_file_futex(char** words) {
  const int fd = static_cast<int>(checked(open(words[0], O_RDWR | O_CREAT, 0600), words[0]));
  checked(unlink(words[0]), "unlink");
  checked(ftruncate(fd, 4096), "ftruncate");
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return static_cast<int>(syscall(SYS_futex, page, FUTEX_WAIT, 0, nullptr, nullptr, 0));
}

/// The only write end goes to whoever listens there.
int handed_over_pipe(char** words) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  strncpy(name.sun_path, words[0], sizeof name.sun_path - 1);
  const int away = static_cast<int>(checked(socket(AF_UNIX, SOCK_STREAM, 0), "socket"));
  checked(connect(away, reinterpret_cast<sockaddr*>(&name), sizeof name), words[0]);
  int ends[2];
  checked(pipe(ends), "pipe");
  char room[CMSG_SPACE(sizeof(int))] = {};
  iovec data{&byte, 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &ends[1], sizeof(int));
  checked(sendmsg(away, &message, 0), "sendmsg");
  if (strcmp(words[1], "all") == 0) {
    close(ends[1]);
    close(away);
  }
  return static_cast<int>(read(ends[0], &byte, 1));
}

int terminal(char**) {
  const int master = static_cast<int>(checked(posix_openpt(O_RDWR | O_NOCTTY), "posix_openpt"));
  checked(grantpt(master), "grantpt");
  checked(unlockpt(master), "unlockpt");
  const int line = static_cast<int>(checked(open(ptsname(master), O_RDWR | O_NOCTTY), "open"));
  return static_cast<int>(read(line, &byte, 1));
}

int file_lock(char**) {
  const auto lock = [] {
    const int fd = static_cast<int>(checked(open("/tmp/lock", O_RDWR | O_CREAT, 0600), "open"));
    return flock(fd, LOCK_EX);
  };
  checked(lock(), "flock");
  return lock();
}

/// In no wait that a signal could end: the parent, until its child goes.
int uninterruptible(char**) {
  int ends[2];
  checked(pipe(ends), "pipe");
  if (vfork() == 0) {
    (void)!read(ends[0], &byte, 1);
    _exit(0);
  }
  return 98;
}

int watched_folder(char**) {
  const int fd = static_cast<int>(checked(inotify_init(), "inotify_init"));
  checked(inotify_add_watch(fd, "/", IN_CREATE), "inotify_add_watch");
  return static_cast<int>(read(fd, &byte, 1));
}

/// A ring could ring this eventfd whenever something outside is done.
int event_of_a_ring(char**) {
  unsigned char parameters[120] = {};
  (void)syscall(SYS_io_uring_setup, 1, parameters);
  uint64_t value;
  const int fd = static_cast<int>(checked(eventfd(0, 0), "eventfd"));
  return static_cast<int>(read(fd, &value, sizeof value));
}

/// What ptrace was told not to see ends main's wait after a while.
int unannounced_child(char** words) {
  int ends[2];
  checked(pipe(ends), "pipe");
  if (checked(syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, nullptr, nullptr, nullptr, 0),
              "clone") == 0) {
    sleep_ms(number(words[0]));
    _exit(write(ends[1], "", 1) == 1 ? 0 : 98);
  }
  return read(ends[0], &byte, 1) == 1 ? 5 : 98;
}

char stack[65536];
int announced[2];

int untold_thread(void*) {
  sleep_ms(150);
  (void)!write(announced[1], "", 1);
  syscall(SYS_exit, 0);
  return 0;
}

int unannounced_thread(char**) {
  checked(pipe(announced), "pipe");
  const int flags =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_UNTRACED;
  checked(clone(untold_thread, stack + sizeof stack, flags, nullptr), "clone");
  return read(announced[0], &byte, 1) == 1 ? 5 : 98;
}

}  // namespace

const Mode kDoubtfulModes[] = {{"timed-poll", timed_poll},
                               {"timed-poll-after-signal", timed_poll_after_signal},
                               {"timed-ppoll", timed_ppoll},
                               {"timed-select", timed_select},
                               {"timed-epoll", timed_epoll},
                               {"timed-sleep", timed_sleep},
                               {"timed-clock-sleep", timed_clock_sleep},
                               {"timed-futex", timed_futex},
                               {"timed-sigwait", timed_sigwait},
                               {"timed-socket", timed_socket},
                               {"timer-descriptor", timer_descriptor},
                               {"timer-in-epoll", timer_in_epoll},
                               {"timer-in-epoll-renamed", timer_in_epoll_renamed},
                               {"alarm", with_alarm},
                               {"alarm-before-exec", with_alarm_before_exec},
                               {"interval-timer", with_interval_timer},
                               {"posix-timer", with_posix_timer},
                               {"spin", spinning},
                               {"one-thread-spins", one_thread_spins},
                               {"one-child-spins", one_child_spins},
                               {"network-socket", network_socket},
                               {"named-pipe", named_pipe},
                               {"file-futex", file_futex},
                               {"nameless-file-futex", nameless_file_futex},
                               {"handed-over-pipe", handed_over_pipe},
                               {"terminal", terminal},
                               {"file-lock", file_lock},
                               {"uninterruptible", uninterruptible},
                               {"watched-folder", watched_folder},
                               {"event-of-a-ring", event_of_a_ring},
                               {"unannounced-child", unannounced_child},
                               {"unannounced-thread", unannounced_thread},
                               {}};
