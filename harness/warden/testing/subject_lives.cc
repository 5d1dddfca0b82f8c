// Births, deaths, threads, exec.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/warden/testing/subject.h"

namespace {

int exit_with(char** words) {
  return number(words[0]);
}

int die_by(char** words) {
  kill(getpid(), number(words[0]));
  wait_for_ever();
}

int print(char** words) {
  printf("%s\n", words[0]);
  fprintf(stderr, "and %s\n", words[0]);
  return 0;
}

int pages_of(int pipe_end) {
  const long bytes = checked(fcntl(pipe_end, F_GETPIPE_SZ), "fcntl");
  return static_cast<int>(bytes / sysconf(_SC_PAGESIZE));
}

/// Exits with the pages of the pipe that it makes, and of that which a child of its makes.
int pipe_pages(char**) {
  int ends[2];
  checked(pipe(ends), "pipe");
  const int pages = pages_of(ends[1]);
  if (fork() == 0) {
    checked(pipe2(ends, O_CLOEXEC), "pipe2");
    _exit(pages_of(ends[1]));
  }
  int status = 0;
  checked(wait(&status), "wait");
  return 10 * pages + WEXITSTATUS(status);
}

/// Children that end with 1, 2, 3 ..., each after a claim of its own.
int children(char** words) {
  const int count = number(words[0]);
  for (int i = 1; i <= count; ++i) {
    if (checked(fork(), "fork") == 0) {
      char task[32];
      snprintf(task, sizeof task, ", \"task\": %d", i);
      claim("task-begun", 1, task);
      _exit(i);
    }
  }
  for (int i = 0; i < count; ++i) checked(wait(nullptr), "wait");
  return 0;
}

/// The same without a word, each living for some ms.
int silent_children(char** words) {
  const int count = number(words[0]);
  const int lifetime = number(words[1]);
  for (int i = 1; i <= count; ++i) {
    if (checked(fork(), "fork") != 0) continue;
    if (lifetime != 0) sleep_ms(lifetime);
    _exit(i);
  }
  for (int i = 0; i < count; ++i) checked(wait(nullptr), "wait");
  return 0;
}

void* nothing(void*) {
  return nullptr;
}

int threads(char** words) {
  for (int i = 0; i < number(words[0]); ++i) {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, nothing, nullptr) != 0) fail("pthread_create");
    pthread_join(thread, nullptr);
  }
  claim("step-ended", 1, R"(, "step": 1, "result": {"kind": "ok"})");
  return 0;
}

void* exec_exit(void* code) {
  become("exit", static_cast<char*>(code));
}

/// Not the leader: the process keeps its number, and nothing may look like its death.
int thread_exec(char** words) {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, exec_exit, words[0]) != 0) fail("pthread_create");
  wait_for_ever();
}

int vfork_exec(char** words) {
  const char* argv[] = {"/proc/self/exe", "exit", words[0], nullptr};
  const pid_t child = vfork();
  if (child == 0) {
    execv(argv[0], const_cast<char**>(argv));
    _exit(98);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

/// A grandchild in a session of its own that outlives main, and with "closed" holds no stream.
int daemon_of(char** words) {
  int ready[2];
  checked(pipe(ready), "pipe");
  if (checked(fork(), "fork") == 0) {
    setsid();
    if (checked(fork(), "fork") == 0) {
      if (strcmp(words[0], "closed") == 0) {
        for (int fd = 0; fd < 3; ++fd) close(fd);
      }
      if (write(ready[1], "", 1) != 1) _exit(98);
      wait_for_ever();
    }
    _exit(0);
  }
  wait(nullptr);
  char byte;
  return read(ready[0], &byte, 1) == 1 ? 0 : 98;
}

/// A grandchild loses its parent, and ends with status 1 where process 1 takes it, else with 7.
int orphan(char**) {
  int over[2];
  checked(pipe(over), "pipe");
  if (checked(fork(), "fork") == 0) {
    const pid_t parent = getpid();
    if (checked(fork(), "fork") == 0) {
      while (getppid() == parent) sleep_ms(1);
      _exit(getppid() == 1 ? 1 : 7);
    }
    _exit(0);
  }
  close(over[1]);
  wait(nullptr);
  char byte;
  return read(over[0], &byte, 1) == 0 ? 0 : 98;  // the grandchild has the other end
}

int child_holds_stdout(char** words) {
  if (checked(fork(), "fork") == 0) {
    sleep_ms(number(words[0]));
    _exit(0);
  }
  return 0;
}

int restless_child(char**) {
  if (checked(fork(), "fork") == 0) {
    for (;;) sleep_ms(5);
  }
  return 0;
}

void* outlive_leader(void* how) {
  await_process_state(getpid(), "Z");
  if (how == nullptr) wait_for_ever();
  _exit(atoi(static_cast<char*>(how)));
}

/// The leader ends by pthread_exit; another thread lives on and ends the process, or never does.
int leader_leaves(char** words) {
  pthread_t thread;
  void* const how = strcmp(words[0], "never") == 0 ? nullptr : words[0];
  if (pthread_create(&thread, nullptr, outlive_leader, how) != 0) fail("pthread_create");
  pthread_exit(nullptr);
}

int die_with_parent(char**) {
  int ready[2];
  checked(pipe(ready), "pipe");
  if (checked(fork(), "fork") == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (write(ready[1], "", 1) != 1) _exit(98);
    wait_for_ever();
  }
  char byte;
  return read(ready[0], &byte, 1) == 1 ? 0 : 98;
}

void* make_threads(void*) {
  for (;;) {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, nothing, nullptr) == 0) pthread_detach(thread);
  }
}

void make_children() {
  for (;;) {
    if (fork() == 0) _exit(0);
    waitpid(-1, nullptr, WNOHANG);
  }
}

/// Kills, over and over, a child in the middle of making threads or children.
int kill_makers(char** words) {
  const bool of_threads = strcmp(words[0], "threads") == 0;
  for (int round = 0; round < number(words[1]); ++round) {
    const pid_t maker = static_cast<pid_t>(checked(fork(), "fork"));
    if (maker == 0) {
      if (of_threads) make_threads(nullptr);
      make_children();
    }
    const timespec span{0, 300000 + round % 20 * 37000};
    nanosleep(&span, nullptr);
    kill(maker, SIGKILL);
    waitpid(maker, nullptr, 0);
  }
  return 0;
}

}  // namespace

const Mode kLifeModes[] = {{"exit", exit_with},
                           {"die-by", die_by},
                           {"print", print},
                           {"children", children},
                           {"silent-children", silent_children},
                           {"threads", threads},
                           {"thread-exec", thread_exec},
                           {"vfork-exec", vfork_exec},
                           {"daemon", daemon_of},
                           {"orphan", orphan},
                           {"pipe_pages", pipe_pages},
                           {"child-holds-stdout", child_holds_stdout},
                           {"restless-child", restless_child},
                           {"leader-leaves", leader_leaves},
                           {"die-with-parent", die_with_parent},
                           {"kill-makers", kill_makers},
                           {}};
