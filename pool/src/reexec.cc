#include "reexec.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <poolproof/containment.hpp>
#include <string>
#include <system_error>

#include "duration.hpp"
#include "fd.hpp"
#include "image.hpp"

namespace poolproof::detail::reexec {
namespace {

/// argv[0] of copies, once there may be any.
std::string& program_name() {
  static auto* const name = new std::string;
  return *name;
}

/// What the new process does before its exec. All signals are blocked there until it has come to
/// `init`: none may end it or run a handler in between, and none is lost.
class Preparation {
 public:
  Preparation() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t all;
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &all);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    flags_ = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  }
  ~Preparation() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  void place(int descriptor, int number) {
    note(::posix_spawn_file_actions_adddup2(&actions_, descriptor, number));
  }
  void close_from(int number) {
    note(::posix_spawn_file_actions_addclosefrom_np(&actions_, number));
  }
  void in_its_own_group() {
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    flags_ |= POSIX_SPAWN_SETPGROUP;
  }

  /// Returns -1 and sets errno on failure.
  pid_t start(const char* argument) {
    note(::posix_spawnattr_setflags(&attributes_, flags_));
    std::array<char*, 3> argv{program_name().data(), const_cast<char*>(argument), nullptr};
    pid_t pid = -1;
    if (error_ == 0) {
      error_ = ::posix_spawn(&pid, "/proc/self/exe", &actions_, &attributes_, argv.data(), environ);
    }
    if (error_ == 0) return pid;
    errno = error_;
    return -1;
  }

 private:
  void note(int error) {
    if (error_ == 0) error_ = error;
  }

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  short flags_ = 0;
  int error_ = 0;
};

/// A copy with a number that is none of those where the new process expects something.
Fd above_places(int fd) {
  Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, kMain + 1));
  if (!copy.valid()) throw_errno("poolproof: duplicate a descriptor");
  return copy;
}

}  // namespace

bool possible() {
  return !program_name().empty();
}

void make_possible(const char* name) {
  program_name() = *name ? name : "poolproof";
}

pid_t start_supervisor(const SupervisorSetup& setup) {
  const Fd control = above_places(setup.control);
  const Fd main = above_places(setup.main_pidfd);
  Preparation preparation;
  // Standard error stays main's until `init`: the place for a loader's complaint.
  for (const int fd : {0, 1}) preparation.place(setup.null, fd);
  if (::fcntl(STDERR_FILENO, F_GETFD) == -1) preparation.place(setup.null, STDERR_FILENO);
  preparation.place(control.get(), kControl);
  preparation.place(main.get(), kMain);
  preparation.close_from(kMain + 1);
  preparation.in_its_own_group();
  const std::string argument =
      std::string(kHiddenArgument) + "supervisor:" + std::to_string(::getpid()) + ':' +
      to_string(setup.method) + ':' + std::to_string(setup.slots) + ':' +
      to_string(setup.contained ? Containment::pid_namespace : Containment::supervisor) + ':' +
      image::fingerprint();
  const pid_t pid = preparation.start(argument.c_str());
  if (pid == -1) throw_errno("poolproof: start a copy of the program");
  return pid;
}

pid_t start_worker(const WorkerSetup& setup) {
  Preparation preparation;
  // 0 is /dev/null here already, and so are 1 and 2.
  if (setup.output >= 0) preparation.place(setup.output, STDOUT_FILENO);
  if (setup.error >= 0) preparation.place(setup.error, STDERR_FILENO);
  preparation.place(setup.channel, kChannel);
  preparation.place(setup.ring, kRing);
  preparation.close_from(kRing + 1);
  std::array<char, 128> argument{};
  std::snprintf(argument.data(), argument.size(), "%sworker:%d:%llu", kHiddenArgument,
                static_cast<int>(setup.supervisor), static_cast<unsigned long long>(setup.serial));
  return preparation.start(argument.data());
}

std::string never_came() {
  return "a copy of this program did not come to poolproof::init within " + to_text(patience()) +
         " and was ended";
}

}  // namespace poolproof::detail::reexec
