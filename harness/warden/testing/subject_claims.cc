// What is written to the claims file.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/warden/testing/subject.h"

namespace {

const char* claims() {
  return getenv("POOLPROOF_TRACE");
}

void half_a_claim() {
  char text[100];
  const int size =
      snprintf(text, sizeof text, "\n{\"claim\": \"task-begun\", \"pid\": %d, \"se", getpid());
  append_to_claims(text, static_cast<unsigned long>(size));
}

int good(char**) {
  claim("started", 1, "");
  claim("step-begun", 2, ", \"step\": 1");
  claim("step-ended", 3, R"(, "step": 1, "result": {"kind": "ok"})");
  claim("ending", 4, "");
  return 0;
}

/// Main becomes another in all that the warden looks at.
int changes(char**) {
  claim("started", 1, "");
  int ends[2];
  checked(pipe2(ends, O_CLOEXEC), "pipe2");
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
  signal(SIGUSR1, SIG_IGN);
  umask(027);
  checked(chdir("/"), "chdir");
  checked(close(0), "close");
  const rlimit limit{100, 200};
  checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  errno = 0;
  if (nice(1) == -1 && errno != 0) fail("nice");
  claim("ending", 2, "");
  return 0;
}

/// Claims of a child that is none of the sync points, before and after what the kernel tells of.
int between(char**) {
  claim("started", 1, "");
  const int child = fork();
  if (child == 0) {
    claim("task-begun", 1, ", \"task\": 1");
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  claim("ending", 2, "");
  return 0;
}

/// Known calls, after main's first step has begun; of main or of its child.
int calls(char** words) {
  claim("step-begun", 1, ", \"step\": 1");
  if (strcmp(words[0], "child") == 0) {
    const int child = fork();
    if (child != 0) return waitpid(child, nullptr, 0) == child ? 0 : 98;
  }
  int ends[2];
  checked(pipe2(ends, 0), "pipe2");
  static const char* const kWords[] = {"one", "two", "three"};
  for (const char* word : kWords) {
    char line[10];
    const int size = snprintf(line, sizeof line, "%s\n", word);
    if (write(1, line, static_cast<unsigned long>(size)) != size) perror(word);
  }
  _exit(0);
}

/// One line for each of the things that a limit can forbid.
void try_to_make(const char* when) {
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  printf("%s file: %s\n", when, file < 0 ? strerror(errno) : "ok");
  void* memory =
      mmap(nullptr, 64UL << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("%s memory: %s\n", when, memory == MAP_FAILED ? strerror(errno) : "ok");
  fflush(stdout);
  const int child = fork();
  if (child == 0) _exit(0);
  printf("%s process: %s\n", when, child < 0 ? strerror(errno) : "ok");
  if (child > 0) waitpid(child, nullptr, 0);
}

/// Two steps of main with two workers' tasks in between, and what main can still make.
int faulted(char**) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  claim("step-begun", 1, ", \"step\": 1");
  try_to_make("first");
  claim("step-ended", 2, R"(, "step": 1, "result": {"kind": "ok"})");
  for (int task = 1; task <= 2; ++task) {
    int worker = fork();
    if (worker < 0) printf("worker: %s\n", strerror(errno));
    if (worker == 0) {
      char more[30];
      snprintf(more, sizeof more, ", \"task\": %d", task);
      claim("task-begun", 1, more);
      for (int i = 0; i < 3; ++i) (void)!write(2, "", 0);
      _exit(0);
    }
    int status = 0;
    if (worker > 0 && waitpid(worker, &status, 0) == worker)
      printf("task %d: %s\n", task, WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "done");
  }
  claim("step-begun", 3, ", \"step\": 2");
  try_to_make("second");
  if (puts("end") < 0 || fflush(stdout) != 0) perror("stdout");
  return 0;
}

/// A child that stands at its second write is killed by main, which goes on.
int kills_who_stands(char**) {
  claim("step-begun", 1, ", \"step\": 1");
  int begun[2];
  checked(pipe(begun), "pipe");
  const int child = fork();
  if (child == 0) {
    (void)!write(begun[1], "", 1);
    (void)!write(begun[1], "", 1);
    wait_for_ever();
  }
  char byte;
  checked(read(begun[0], &byte, 1), "read");
  await_process_state(child, "Tt");
  // It stands there even before the warden has come to look. Who stops for each write of ours has
  // looked at everybody meanwhile.
  for (int i = 0; i < 50; ++i) (void)!write(2, "", 0);
  checked(kill(child, SIGKILL), "kill");
  checked(waitpid(child, nullptr, 0), "waitpid");
  return 0;
}

int print_sync_points(char**) {
  puts(getenv("POOLPROOF_SYNC"));
  return 0;
}

/// A step, or the ending, that takes its time in a timed loop.
int slow(char** words) {
  if (strcmp(words[0], "step") == 0) claim("step-begun", 1, ", \"step\": 1");
  if (strcmp(words[0], "ending") == 0) claim("ending", 1, "");
  sleep_ms(number(words[1]));
  return 0;
}

int garbage(char** words) {
  static const char kText[] = "\nno claim\n";
  static const char kBytes[] = "\n\xff\xfe{\x01\"\n";
  if (strcmp(words[0], "bytes") == 0) {
    append_to_claims(kBytes, sizeof kBytes - 1);
  } else {
    append_to_claims(kText, sizeof kText - 1);
  }
  return 0;
}

int torn_by_signal(char**) {
  half_a_claim();
  raise(SIGKILL);
  return 98;
}

int torn_by_nobody(char**) {
  half_a_claim();
  return 0;
}

int ready[2];

void* begin_a_claim(void*) {
  half_a_claim();
  (void)!write(ready[1], "", 1);
  wait_for_ever();
}

/// Main ends while another thread is in the middle of its claim.
int torn_by_main(char**) {
  checked(pipe(ready), "pipe");
  pthread_t thread;
  if (pthread_create(&thread, nullptr, begin_a_claim, nullptr) != 0) fail("pthread_create");
  char byte;
  return read(ready[0], &byte, 1) == 1 ? 0 : 98;
}

int gap(char** words) {
  claim("started", 1, "");
  claim("ending", 3, "");
  if (strcmp(words[0], "killed") == 0) raise(SIGKILL);
  return 0;
}

int flood(char** words) {
  for (int i = 1; i <= number(words[0]); ++i) {
    char text[120];
    const int size =
        snprintf(text, sizeof text,
                 "\n{\"claim\": \"task-begun\", \"pid\": %d, \"seq\": %d, \"at_ns\": 1, "
                 "\"task\": %d}\n",
                 getpid(), i, i);
    append_to_claims(text, static_cast<unsigned long>(size));
  }
  return 0;
}

int cut(char**) {
  claim("started", 1, "");
  raise(SIGURG);  // what was not yet read is missing, not cut
  if (truncate(claims(), 0) != 0) fail("truncate");
  return 0;
}

int remove_file(char**) {
  claim("started", 1, "");
  if (unlink(claims()) != 0) fail("unlink");
  return 0;
}

}  // namespace

const Mode kClaimModes[] = {{"claims", good},
                            {"claims-between", between},
                            {"changes", changes},
                            {"calls", calls},
                            {"faulted", faulted},
                            {"kills-who-stands", kills_who_stands},
                            {"print-sync-points", print_sync_points},
                            {"slow", slow},
                            {"garbage", garbage},
                            {"torn-by-signal", torn_by_signal},
                            {"torn-by-nobody", torn_by_nobody},
                            {"torn-by-main", torn_by_main},
                            {"claims-gap", gap},
                            {"claims-flood", flood},
                            {"cut-claims", cut},
                            {"remove-claims", remove_file},
                            {}};
