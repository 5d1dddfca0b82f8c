#include "harness/sys/proc.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "harness/sys/fd.h"
#include "harness/sys/unix_socket.h"

namespace poolproof::sys {
namespace {

/// A child that does something and then sleeps; killed and reaped at the end.
class Child {
 public:
  explicit Child(const std::function<void()>& body) : pid_(::fork()) {
    if (pid_ != 0) return;
    body();
    for (;;) ::pause();
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  int pid() const { return pid_; }
  void await(char state) const {
    for (int i = 0; i < 10'000 && process_state(pid_)->state != state; ++i) ::usleep(1000);
  }

 private:
  int pid_;
};

TEST(Proc, KeepsAProcessToSomeProcessors) {
  const Child child([] {});
  ASSERT_TRUE(keep_to_processors(child.pid(), 1));
  const auto settings = process_settings(child.pid());
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->processors.find_first_of(",-"), std::string::npos) << settings->processors;
  const auto before = process_settings(::getpid())->processors;
  ASSERT_TRUE(keep_to_processors(::getpid(), 1 << 16));
  EXPECT_EQ(process_settings(::getpid())->processors, before);
}

TEST(Proc, TellsWhatAProcessHasSet) {
  const Child child([] {
    ::umask(027);
    ::signal(SIGUSR1, SIG_IGN);
    if (::chdir("/") != 0 || ::setpgid(0, 0) != 0) ::_exit(1);
  });
  child.await('S');
  const auto settings = process_settings(child.pid());
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->umask, "0027");
  EXPECT_EQ(settings->folder, "/");
  EXPECT_EQ(settings->ignored.size(), 16U);
  EXPECT_EQ(settings->group, std::to_string(child.pid()));
  EXPECT_NE(settings->limits.find("Max open files "), std::string::npos);
  EXPECT_EQ(settings->limits.find("  "), std::string::npos) << settings->limits;
  EXPECT_FALSE(settings->nice.empty());
  EXPECT_FALSE(settings->oom_score_adj.empty());
  EXPECT_FALSE(process_settings(1 << 29));
}

/// The name of a program may hold what separates the fields of stat and the lines of status.
TEST(Proc, IsNotFooledByNames) {
  for (const char* name : {"a) R 1", "x\ny", ") Z 0 (", "State:\tZ"}) {
    const Child child([name] { ::prctl(PR_SET_NAME, name); });
    child.await('S');
    const auto state = process_state(child.pid());
    ASSERT_TRUE(state) << name;
    EXPECT_EQ(state->state, 'S') << name;
    EXPECT_EQ(state->parent, ::getpid()) << name;
    const auto status = task_status(child.pid());
    ASSERT_TRUE(status) << name;
    EXPECT_EQ(status->state, 'S') << name;
    EXPECT_EQ(status->tgid, child.pid()) << name;
    EXPECT_EQ(status->parent, ::getpid()) << name;
    EXPECT_EQ(status->tracer, 0) << name;
  }
}

TEST(Proc, ShowsAZombiesStatus) {
  const Child child([] { ::_exit(200); });
  child.await('Z');
  EXPECT_EQ(zombie_status(child.pid()), 200 << 8);
  EXPECT_FALSE(zombie_status(::getpid()));
}

TEST(Proc, ShowsPendingAndBlockedSignals) {
  const Child child([] {
    sigset_t mask;
    ::sigemptyset(&mask);
    ::sigaddset(&mask, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &mask, nullptr);
    ::raise(SIGUSR1);
  });
  child.await('S');
  const auto status = task_status(child.pid());
  ASSERT_TRUE(status);
  const std::uint64_t bit = 1ULL << (SIGUSR1 - 1);
  EXPECT_EQ((status->pending | status->shared_pending) & bit, bit);
  EXPECT_EQ(status->blocked & bit, bit);
}

TEST(Proc, ShowsTheCallAndItsArguments) {
  const Child child([] { ::poll(nullptr, 0, -1); });
  child.await('S');
  const auto call = blocked_call(child.pid(), child.pid());
  ASSERT_TRUE(call);
#ifdef SYS_poll
  EXPECT_EQ(call->number, SYS_poll);
  EXPECT_EQ(static_cast<std::int32_t>(call->arguments[2]), -1);
#endif
}

TEST(Proc, KnowsItsChildren) {
  const Child first([] {});
  const Child second([] {});
  auto children = children_of(::getpid());
  EXPECT_EQ(std::count(children.begin(), children.end(), first.pid()), 1);
  EXPECT_EQ(std::count(children.begin(), children.end(), second.pid()), 1);
}

TEST(Proc, TellsSharedFromPrivateMemory) {
  const int both = PROT_READ | PROT_WRITE;
  void* shared = ::mmap(nullptr, 4096, both, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int local = 0;
  const auto find = [](const void* at) {
    return mapping_at(::getpid(), reinterpret_cast<std::uint64_t>(at));
  };
  ASSERT_TRUE(find(shared) && find(&local));
  EXPECT_TRUE(find(shared)->shared);
  EXPECT_EQ(find(shared)->path, "/dev/zero (deleted)");
  EXPECT_FALSE(find(&local)->shared);
  EXPECT_EQ(find(&local)->path, "[stack]");
  EXPECT_FALSE(find(nullptr));
  ::munmap(shared, 4096);
}

TEST(Proc, NamesDescriptors) {
  const auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  EXPECT_EQ(descriptor_target(::getpid(), pipe->read.get())->substr(0, 6), "pipe:[");
  EXPECT_EQ(descriptor_inode(::getpid(), pipe->read.get()),
            descriptor_inode(::getpid(), pipe->write.get()));
  EXPECT_FALSE(descriptor_target(::getpid(), 1 << 20));
}

TEST(Proc, KnowsHowADescriptorWasOpened) {
  const auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  EXPECT_EQ(descriptor_access(::getpid(), pipe->read.get()), O_RDONLY);
  EXPECT_EQ(descriptor_access(::getpid(), pipe->write.get()), O_WRONLY);
  const auto all = descriptors_of(::getpid());
  EXPECT_EQ(std::count(all.begin(), all.end(), pipe->read.get()), 1);
}

TEST(Proc, TellsOneEventfdFromAnother) {
  const Fd one(::eventfd(0, EFD_CLOEXEC));
  const Fd copy(::dup(one.get()));
  const Fd other(::eventfd(0, EFD_CLOEXEC));
  const auto name = eventfd_name(::getpid(), one.get());
  if (!name) GTEST_SKIP() << "this kernel numbers no eventfd";
  EXPECT_EQ(eventfd_name(::getpid(), copy.get()), name);
  EXPECT_NE(eventfd_name(::getpid(), other.get()), name);
  EXPECT_FALSE(eventfd_name(::getpid(), 1));
}

TEST(Proc, KnowsWhomAPidfdStandsFor) {
  const Child child([] {});
  const Fd handle = open_pidfd(child.pid());
  EXPECT_EQ(pidfd_inner_pid(::getpid(), handle.get()), child.pid());
  EXPECT_FALSE(pidfd_inner_pid(::getpid(), 0));
}

TEST(UnixSocket, KnowsItsOtherEnd) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Fd one(ends[0]);
  const Fd other(ends[1]);
  const auto inode = [](const Fd& fd) { return *descriptor_inode(::getpid(), fd.get()); };
  const auto peer = unix_socket_peer(inode(one));
  if (!peer) GTEST_SKIP() << "this kernel has no unix_diag";
  EXPECT_EQ(*peer, inode(other));
  const Fd alone(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_FALSE(unix_socket_peer(inode(alone)));
  EXPECT_FALSE(unix_socket_peer(1));
}

TEST(Proc, ReadsAnothersMemory) {
  static int word = 5;
  const Child child([] { word = 7; });
  child.await('S');
  int there = 0;
  ASSERT_TRUE(
      read_memory(child.pid(), reinterpret_cast<std::uint64_t>(&word), &there, sizeof there));
  EXPECT_EQ(there, 7);
  EXPECT_FALSE(read_memory(child.pid(), 8, &there, sizeof there));
}

TEST(Proc, SaysNothingOfNobody) {
  constexpr int nobody = 1 << 30;
  EXPECT_FALSE(task_status(nobody));
  EXPECT_FALSE(process_state(nobody));
  EXPECT_FALSE(schedule_times(nobody, nobody));
  EXPECT_FALSE(blocked_call(nobody, nobody));
  EXPECT_FALSE(descriptor_count(nobody));
  EXPECT_TRUE(threads_of(nobody).empty());
  EXPECT_TRUE(children_of(nobody).empty());
}

}  // namespace
}  // namespace poolproof::sys
