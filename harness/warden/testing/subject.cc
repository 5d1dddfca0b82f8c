#include "harness/warden/testing/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void fail(const char* doing) {
  fprintf(stderr, "subject: %s: %s\n", doing, strerror(errno));
  _exit(98);
}

long checked(long value, const char* doing) {
  if (value == -1) fail(doing);
  return value;
}

int number(const char* word) {
  if (word == nullptr) fail("a number is missing");
  return atoi(word);
}

void sleep_ms(int milliseconds) {
  const timespec span{milliseconds / 1000, milliseconds % 1000 * 1000000L};
  nanosleep(&span, nullptr);
}

void wait_for_ever() {
  for (;;) pause();
}

void become(const char* mode, const char* word) {
  const char* words[] = {"/proc/self/exe", mode, word, nullptr};
  execv(words[0], const_cast<char**>(words));
  fail("exec of myself");
}

void await_process_state(int pid, const char* states) {
  char name[64];
  snprintf(name, sizeof name, "/proc/%d/stat", pid);
  for (;;) {
    char text[512] = {};
    const int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, text, sizeof text - 1) < 0) fail(name);
    close(file);
    const char* end = strrchr(text, ')');
    if (end != nullptr && end[2] != '\0' && strchr(states, end[2]) != nullptr) return;
  }
}

void append_to_claims(const char* text, unsigned long size) {
  const char* path = getenv("POOLPROOF_TRACE");
  if (path == nullptr) fail("POOLPROOF_TRACE");
  const int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0) fail(path);
  if (write(file, text, size) != static_cast<long>(size)) fail(path);
  close(file);
}

void claim(const char* kind, int sequence, const char* more) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  char text[300];
  const int size = snprintf(
      text, sizeof text, "\n{\"claim\": \"%s\", \"pid\": %d, \"seq\": %d, \"at_ns\": %lld%s}\n",
      kind, getpid(), sequence, now.tv_sec * 1000000000LL + now.tv_nsec, more);
  append_to_claims(text, static_cast<unsigned long>(size));
  const char* wanted = getenv("POOLPROOF_SYNC");
  if (wanted == nullptr || strstr(wanted, kind) != nullptr) raise(SIGURG);
}

int main(int count, char** words) {
  const Mode* const tables[] = {kLifeModes,    kWaitModes, kDoubtfulModes,
                                kHostileModes, kPollModes, kClaimModes};
  for (const Mode* table : tables) {
    for (const Mode* mode = table; count > 1 && mode->name != nullptr; ++mode) {
      if (strcmp(mode->name, words[1]) == 0) return mode->run(words + 2);
    }
  }
  fprintf(stderr, "subject: no such mode\n");
  return 98;
}
