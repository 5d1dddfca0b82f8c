// Main claims to begin a step and never ends it; what it does meanwhile is what the mode says.
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/warden/testing/subject.h"

namespace {

void begin() {
  claim("step-begun", 1, ", \"step\": 1");
}

[[noreturn]] void sleep_again_and_again() {
  for (;;) sleep_ms(1);
}

int poll_by_sleep(char**) {
  begin();
  sleep_again_and_again();
}

int poll_by_futex(char**) {
  begin();
  static int word;
  const timespec little{0, 1'000'000};
  for (;;) syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &little, nullptr, 0);
}

/// The others sleep without a timeout.
int poll_beside_sleeper(char**) {
  if (checked(fork(), "fork") == 0) {
    int ends[2];
    checked(pipe(ends), "pipe");
    char byte;
    return static_cast<int>(read(ends[0], &byte, 1));
  }
  begin();
  sleep_again_and_again();
}

int poll_and_read(char**) {
  begin();
  const int zeros = static_cast<int>(checked(open("/dev/zero", O_RDONLY), "open"));
  for (char byte;; sleep_ms(1)) (void)!read(zeros, &byte, 1);
}

int poll_and_work(char**) {
  begin();
  for (;; sleep_ms(1)) {
    timespec now{};
    timespec end{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    end.tv_nsec += 800'000;
    do {
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while (now.tv_sec <= end.tv_sec && now.tv_nsec < end.tv_nsec);
  }
}

/// Somebody computes meanwhile.
int poll_beside_worker(char**) {
  if (checked(fork(), "fork") == 0) {
    for (;;) __asm__ volatile("");
  }
  begin();
  sleep_again_and_again();
}

/// Somebody will wake by itself, only later.
int poll_beside_timer(char**) {
  if (checked(fork(), "fork") == 0) {
    sleep_ms(100'000);
    return 0;
  }
  begin();
  sleep_again_and_again();
}

/// Two who may speak with each other in a way that nobody sees.
int poll_in_company(char**) {
  if (checked(fork(), "fork") == 0) sleep_again_and_again();
  begin();
  sleep_again_and_again();
}

int poll_the_network(char**) {
  begin();
  sockaddr_in any{};
  any.sin_family = AF_INET;
  const int fd = static_cast<int>(checked(socket(AF_INET, SOCK_STREAM, 0), "socket"));
  checked(bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any), "bind");
  checked(listen(fd, 1), "listen");
  for (pollfd wanted{fd, POLLIN, 0};;) poll(&wanted, 1, 1);
}

int replace_for_ever(char**) {
  begin();
  for (;;) {
    if (checked(fork(), "fork") == 0) _exit(1);
    wait(nullptr);
  }
}

}  // namespace

const Mode kPollModes[] = {{"poll-by-sleep", poll_by_sleep},
                           {"poll-by-futex", poll_by_futex},
                           {"poll-beside-sleeper", poll_beside_sleeper},
                           {"poll-and-read", poll_and_read},
                           {"poll-and-work", poll_and_work},
                           {"poll-beside-worker", poll_beside_worker},
                           {"poll-beside-timer", poll_beside_timer},
                           {"poll-in-company", poll_in_company},
                           {"poll-the-network", poll_the_network},
                           {"replace-for-ever", replace_for_ever},
                           {}};
