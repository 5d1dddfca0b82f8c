#include "children.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "fd.hpp"

namespace poolproof::detail::children {
namespace {

constexpr std::size_t kBatch = 512;
constexpr std::size_t kMaxDepth = 33;  // of PID namespaces: the kernel's limit

std::size_t read_numbers(int fd, pid_t* pids, std::size_t capacity, std::size_t from) {
  std::size_t seen = 0;
  std::size_t count = 0;
  pid_t number = 0;
  char buffer[1024];
  ssize_t got = 0;
  while ((got = ::read(fd, buffer, sizeof buffer)) > 0) {
    for (ssize_t i = 0; i < got; ++i) {
      if (buffer[i] >= '0' && buffer[i] <= '9') {
        number = number * 10 + (buffer[i] - '0');
      } else if (number > 0) {
        if (seen++ >= from && count < capacity) pids[count++] = number;
        number = 0;
      }
    }
  }
  return count;
}

pid_t to_pid(const char* text) {
  pid_t number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) {
    number = number * 10 + (*text - '0');
  }
  return *text == '\0' || *text == ' ' ? number : 0;
}

/// Fourth field of /proc/PID/stat; the second may contain anything, so the
/// last parenthesis is what counts.
pid_t parent_of(int proc, const char* name) {
  char path[64];
  if (std::strlen(name) + sizeof "/stat" > sizeof path) return 0;
  std::strcpy(path, name);
  std::strcat(path, "/stat");
  const Fd stat(::openat(proc, path, O_RDONLY | O_CLOEXEC));
  if (!stat.valid()) return 0;
  char text[512];
  const ssize_t got = ::read(stat.get(), text, sizeof text - 1);
  if (got <= 0) return 0;
  text[got] = '\0';
  const char* end = std::strrchr(text, ')');
  return end && std::strlen(end) > 4 ? to_pid(end + 4) : 0;  // ") S ppid "
}

struct DirectoryEntry {  // linux_dirent64
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[1];
};

/// What this process is called in /proc, which may have been mounted in an outer PID namespace.
pid_t name_in_proc() {
  char target[16] = {};
  return ::readlink("/proc/self", target, sizeof target - 1) > 0 ? to_pid(target) : 0;
}

/// The line "NSpid:" of a status file: its pid in /proc's namespace, in the next inner one, and so
/// on. Returns how many there are.
std::size_t pids_by_namespace(const char* path, pid_t* pids, std::size_t capacity) {
  const Fd file(::open(path, O_RDONLY | O_CLOEXEC));
  char text[4096];
  const ssize_t got = file.valid() ? ::read(file.get(), text, sizeof text - 1) : 0;
  text[got > 0 ? got : 0] = '\0';
  const char* at = std::strstr(text, "\nNSpid:");
  if (!at) return 0;
  at += sizeof "\nNSpid:" - 1;
  std::size_t count = 0;
  while (*at == '\t' && count < capacity) {
    pid_t number = 0;
    for (++at; *at >= '0' && *at <= '9'; ++at) number = number * 10 + (*at - '0');
    pids[count++] = number;
  }
  return count;
}

/// As this process calls what /proc calls `name`; 0 if it is gone.
pid_t from_proc(pid_t name, std::size_t depth) {
  char path[32] = "/proc/";
  char digits[12] = {};
  std::size_t at = sizeof digits - 1;
  for (; name > 0; name /= 10) digits[--at] = static_cast<char>('0' + name % 10);
  std::strcat(path, &digits[at]);
  std::strcat(path, "/status");
  pid_t pids[kMaxDepth];
  return pids_by_namespace(path, pids, kMaxDepth) > depth ? pids[depth] : 0;
}

/// Turns names in /proc into pids of this process's namespace, where these differ.
std::size_t translate(pid_t* pids, std::size_t count) {
  if (count == 0 || name_in_proc() == ::getpid()) return count;
  pid_t own[kMaxDepth];
  const std::size_t depth = pids_by_namespace("/proc/self/status", own, kMaxDepth) - 1;
  std::size_t known = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (const pid_t pid = from_proc(pids[i], depth)) pids[known++] = pid;
  }
  return known;
}

}  // namespace

int open_list() {
  return ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
}

std::size_t read_list(int file, pid_t* pids, std::size_t capacity, std::size_t from) {
  ::lseek(file, 0, SEEK_SET);
  return translate(pids, read_numbers(file, pids, capacity, from));
}

std::size_t list(int file, pid_t* pids, std::size_t capacity, std::size_t from) {
  return file >= 0 ? read_list(file, pids, capacity, from) : list_by_parents(pids, capacity, from);
}

std::size_t list_by_parents(pid_t* pids, std::size_t capacity, std::size_t from) {
  const Fd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc.valid()) return 0;
  const pid_t self = name_in_proc();
  std::size_t seen = 0;
  std::size_t count = 0;
  alignas(DirectoryEntry) char buffer[4096];
  long got = 0;
  // Not opendir: it allocates.
  while ((got = ::syscall(SYS_getdents64, proc.get(), buffer, sizeof buffer)) > 0) {
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<DirectoryEntry*>(buffer + at);
      at += entry->size;
      const pid_t pid = to_pid(entry->name);
      if (pid == 0 || parent_of(proc.get(), entry->name) != self) continue;
      if (seen++ >= from && count < capacity) pids[count++] = pid;
    }
  }
  return translate(pids, count);
}

Signalled signal_all(int file, int signal) {
  pid_t pids[kBatch];
  const std::size_t count = list(file, pids, kBatch);
  Signalled result;
  for (std::size_t i = 0; i < count; ++i) {
    if (::kill(pids[i], signal) == 0) {
      ++result.reached;
    } else if (errno == EPERM) {
      ++result.refused;
    }
  }
  return result;
}

}  // namespace poolproof::detail::children
