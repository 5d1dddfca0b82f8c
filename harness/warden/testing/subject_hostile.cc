// Files, floods, bombs, stops.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/warden/testing/subject.h"

namespace {

void make_file(const char* path) {
  close(static_cast<int>(checked(open(path, O_WRONLY | O_CREAT, 0600), path)));
}

int leave_things(char**) {
  make_file("/tmp/left");
  checked(mkdir("/tmp/folder", 0700), "mkdir");
  make_file("/dev/shm/left");
  checked(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600), "shmget");
  checked(semget(IPC_PRIVATE, 1, IPC_CREAT | 0600), "semget");
  checked(msgget(IPC_PRIVATE, IPC_CREAT | 0600), "msgget");
  checked(mq_open("/left", O_CREAT | O_RDWR, 0600, nullptr), "mq_open");
  return 0;
}

int alter_tmp(char**) {
  return static_cast<int>(checked(chmod("/tmp", 0700), "chmod"));
}

int print_mode(char** words) {
  struct stat now;
  checked(stat(words[0], &now), words[0]);
  printf("%o\n", now.st_mode & 07777U);
  return 0;
}

int mount_over(char** words) {
  return static_cast<int>(checked(mount("tmpfs", words[0], "tmpfs", 0, nullptr), words[0]));
}

int list(char** words) {
  DIR* folder = opendir(words[0]);
  if (folder == nullptr) fail(words[0]);
  for (const dirent* entry = readdir(folder); entry != nullptr; entry = readdir(folder)) {
    printf("%s\n", entry->d_name);
  }
  return 0;
}

int print_environment(char** words) {
  const char* value = getenv(words[0]);
  printf("%s\n", value != nullptr ? value : "(none)");
  return 0;
}

/// Says whether this file can be made here.
int try_to_write(char** words) {
  const int fd = open(words[0], O_WRONLY | O_CREAT, 0600);
  printf("%s\n", fd < 0 ? strerror(errno) : "written");
  return 0;
}

int read_stdin(char**) {
  char byte;
  return static_cast<int>(read(0, &byte, 1));
}

/// Only where it can reach nobody but the case: our init is what it must find as pid 1.
int kill_all(char**) {
  char name[32] = {};
  const int file = static_cast<int>(checked(open("/proc/1/comm", O_RDONLY), "/proc/1/comm"));
  checked(read(file, name, sizeof name - 1), "read");
  if (strncmp(name, "poolproof-init", 14) != 0) return 97;
  for (int i = 0; i < 3; ++i) {
    if (checked(fork(), "fork") == 0) wait_for_ever();
  }
  kill(-1, SIGKILL);
  kill(1, SIGKILL);
  return 3;
}

/// Takes hold of the sandbox's init and keeps it stopped.
int stop_init(char**) {
  checked(ptrace(PTRACE_SEIZE, 1, nullptr, nullptr), "PTRACE_SEIZE");
  checked(ptrace(PTRACE_INTERRUPT, 1, nullptr, nullptr), "PTRACE_INTERRUPT");
  wait_for_ever();
}

int fork_bomb(char**) {
  for (;;) fork();
}

void* more_threads(void*) {
  for (;;) {
    pthread_t thread;
    pthread_create(&thread, nullptr, more_threads, nullptr);
  }
}

int thread_bomb(char**) {
  more_threads(nullptr);
  return 98;
}

int flood_stdout(char** words) {
  static char block[1 << 16];
  memset(block, 'x', sizeof block);
  for (int megabytes = number(words[0]); megabytes != 0; --megabytes) {
    for (int i = 0; i < 16; ++i) {
      if (write(1, block, sizeof block) != static_cast<long>(sizeof block)) return 98;
    }
  }
  return 0;
}

int print_bytes(char**) {
  const unsigned char bytes[] = {0xff, 0xfe, 0, 27, '\n', 0xc3, 0x28};
  return write(1, bytes, sizeof bytes) == sizeof bytes ? 0 : 98;
}

int big_file(char** words) {
  const int fd = static_cast<int>(checked(open("/tmp/big", O_WRONLY | O_CREAT, 0600), "/tmp/big"));
  checked(pwrite(fd, "x", 1, number(words[0]) * 1024L * 1024L), "pwrite");
  return 0;
}

/// Signals without end. The handler keeps each of them a delivery.
int signal_storm(char**) {
  signal(SIGUSR1, [](int) {});
  for (;;) raise(SIGUSR1);
}

int close_everything(char** words) {
  syscall(SYS_close_range, 0, ~0U, 0);
  if (strcmp(words[0], "hang") == 0) wait_for_ever();
  return number(words[0]);
}

/// Sleeps for ever; its words are what tests look for in /proc.
int marked(char** words) {
  for (int i = 0; i < number(words[1]); ++i) {
    if (checked(fork(), "fork") == 0) {
      setsid();
      break;
    }
  }
  printf("here\n");
  fflush(stdout);
  for (;;) sleep_ms(1000);
}

}  // namespace

const Mode kHostileModes[] = {{"leave-things", leave_things},
                              {"alter-tmp", alter_tmp},
                              {"print-mode", print_mode},
                              {"mount-over", mount_over},
                              {"list", list},
                              {"print-environment", print_environment},
                              {"try-to-write", try_to_write},
                              {"read-stdin", read_stdin},
                              {"kill-all", kill_all},
                              {"stop-init", stop_init},
                              {"fork-bomb", fork_bomb},
                              {"thread-bomb", thread_bomb},
                              {"flood-stdout", flood_stdout},
                              {"print-bytes", print_bytes},
                              {"big-file", big_file},
                              {"signal-storm", signal_storm},
                              {"close-everything", close_everything},
                              {"marked", marked},
                              {}};
