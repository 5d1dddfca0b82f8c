#include "keeper.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>

#include "children.hpp"
#include "control.hpp"
#include "fd.hpp"
#include "futex.hpp"
#include "reap.hpp"

namespace poolproof::detail {
namespace {

bool write_file(const char* path, const char* text) {
  const Fd file(::open(path, O_WRONLY | O_CLOEXEC));
  const auto size = static_cast<ssize_t>(std::strlen(text));
  return file.valid() && ::write(file.get(), text, static_cast<std::size_t>(size)) == size;
}

/// "ID ID 1": the one line that an ordinary user may write.
bool map_to_itself(const char* path, unsigned id) {
  std::array<char, 16> digits{};
  std::size_t at = digits.size() - 1;
  do {
    digits[--at] = static_cast<char>('0' + id % 10);
    id /= 10;
  } while (id > 0);
  std::array<char, 64> line{};
  std::strcat(line.data(), &digits[at]);
  std::strcat(line.data(), " ");
  std::strcat(line.data(), &digits[at]);
  std::strcat(line.data(), " 1");
  return write_file(path, line.data());
}

/// Returns 0 or an errno.
int enter_namespace() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(CLONE_NEWPID) == 0) return 0;
  if (errno != EPERM || ::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) return errno;
  const bool mapped = write_file("/proc/self/setgroups", "deny") &&
                      map_to_itself("/proc/self/uid_map", user) &&
                      map_to_itself("/proc/self/gid_map", group);
  return mapped ? 0 : errno;
}

using Word = std::atomic<std::uint32_t>;

/// Shared with the keeper alone; null if there is no memory.
Word* map_word() {
  void* const at =
      ::mmap(nullptr, sizeof(Word), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? nullptr : new (at) Word(0);
}

void lock(Word& word) {
  while (word.exchange(1) != 0) futex::wait(word, 1, kNever, futex::Scope::shared);
}

void unlock(Word& word) {
  word.store(0);
  futex::wake(word, futex::Scope::shared);
}

/// SIGCHLD is blocked.
[[noreturn]] void reap_for_ever(Word& reaping) {
  sigset_t death;
  ::sigemptyset(&death);
  ::sigaddset(&death, SIGCHLD);
  for (;;) {
    ::sigwaitinfo(&death, nullptr);
    lock(reaping);
    siginfo_t child{};
    while (reap::next_dead_child(child) == reap::Found::dead_child) {
    }
    unlock(reaping);
  }
}

[[noreturn]] void keep(int socket, Word& reaping) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "poolproof-init");
  const int list = children::open_list();
  const int error = list < 0 ? errno : 0;
  // Should the supervisor be dead already, no signal comes, but there is nobody to send to either.
  const int sent = control::send(socket, &error, sizeof error, &list, list < 0 ? 0 : 1);
  if (sent != 0 || error != 0) ::_exit(1);
  ::close_range(0, ~0U, 0);
  reap_for_ever(reaping);
}

}  // namespace

bool Keeper::kill_adopted() const {
  if (reaping->exchange(1) != 0) return true;  // without a wait: the keeper may have been stopped
  std::array<pid_t, 256> adopted{};
  const std::size_t count = children::read_list(children, adopted.data(), adopted.size());
  for (std::size_t i = 0; i < count; ++i) ::kill(adopted[i], SIGKILL);
  unlock(*reaping);
  return count > 0;
}

int start_keeper(Keeper& keeper) {
  if (const int error = enter_namespace()) return error;
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return errno;
  const Fd ours(ends[0]);
  Fd theirs(ends[1]);
  keeper.reaping = map_word();
  if (!keeper.reaping) return ENOMEM;
  keeper.pid = ::fork();
  if (keeper.pid == -1) return errno;
  if (keeper.pid == 0) {
    ::close(ends[0]);
    keep(ends[1], *keeper.reaping);
  }
  ::madvise(keeper.reaping, sizeof *keeper.reaping, MADV_DONTFORK);  // no task writes to it
  theirs.reset();
  int error = EPIPE;
  control::Descriptors descriptors{};
  const auto received = control::receive(ours.get(), &error, sizeof error, descriptors, true);
  keeper.children = descriptors[0];
  return received == control::Received::message ? error : EPIPE;
}

}  // namespace poolproof::detail
