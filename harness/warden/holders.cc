#include "harness/warden/holders.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include "harness/sys/proc.h"
#include "harness/sys/unix_socket.h"

namespace poolproof::warden {
namespace {

using harness::Pid;
using harness::Resource;

bool starts_with(const std::string& text, std::string_view head) {
  return text.rfind(head, 0) == 0;
}

// ---- Descriptors and memory
// -----------------------------------------------------------------------

/// "socket:[9]" at the other end of "socket:[8]".
std::string peer_of(const std::string& name) {
  constexpr std::string_view kSocket = "socket:[";
  if (!starts_with(name, kSocket)) return "";
  const auto peer =
      sys::unix_socket_peer(std::strtoull(name.c_str() + kSocket.size(), nullptr, 10));
  return peer && *peer != 0 ? std::string(kSocket) + std::to_string(*peer) + "]" : "";
}

std::string name_of(int pid, int fd) {
  const auto target = sys::descriptor_target(pid, fd);
  if (!target) return "";
  const bool is_eventfd = starts_with(*target, "anon_inode:[eventfd]");
  return is_eventfd ? sys::eventfd_name(pid, fd).value_or("") : *target;
}

const char* access_of(int pid, int fd) {
  switch (sys::descriptor_access(pid, fd).value_or(O_RDWR)) {
    case O_RDONLY:
      return "r";
    case O_WRONLY:
      return "w";
    default:
      return "rw";
  }
}

class Holders {
 public:
  explicit Holders(const std::vector<harness::Wait>& waits) {
    for (const auto& wait : waits) {
      for (const auto& goal : wait.goals) add(goal.of);
    }
  }

  void look_at(const Sleeper& process) {
    for (const int fd : sys::descriptors_of(process.pid)) {
      auto* resource = find(name_of(process.pid, fd));
      if (resource != nullptr)
        resource->holders.push_back({process.inner, fd, access_of(process.pid, fd)});
    }
    if (!shares_memory_) return;
    for (const auto& mapping : sys::mappings(process.pid)) {
      if (mapping.shared) look_at(process, mapping);
    }
  }

  std::vector<Resource> take() {
    std::vector<Resource> all;
    for (auto& [name, resource] : resources_) all.push_back(std::move(resource));
    return all;
  }

 private:
  void add(const std::string& name) {
    // A word that only its own process knows has two parts: "futex:0x7f00".
    const bool is_shared_word = starts_with(name, "futex:") && name.find('+') != std::string::npos;
    const bool is_descriptor =
        starts_with(name, "pipe:") || starts_with(name, "socket:") || starts_with(name, "eventfd:");
    if ((!is_shared_word && !is_descriptor) || resources_.count(name) != 0) return;
    shares_memory_ |= is_shared_word;
    const auto peer = peer_of(name);
    resources_[name] = {name, peer, {}};
    if (!peer.empty()) add(peer);
  }

  Resource* find(const std::string& name) {
    const auto found = resources_.find(name);
    return found == resources_.end() ? nullptr : &found->second;
  }

  void look_at(const Sleeper& process, const sys::Mapping& mapping) {
    const std::string head = "futex:" + mapping.file + "+";
    for (auto& [name, resource] : resources_) {
      if (!starts_with(name, head)) continue;
      const auto place = std::strtoull(name.c_str() + head.size(), nullptr, 16);
      const auto size = mapping.end - mapping.begin;
      const bool inside = place >= mapping.offset && place - mapping.offset < size;
      if (inside) resource.holders.push_back({process.inner, -1, "map"});
    }
  }

  std::map<std::string, Resource> resources_;
  bool shares_memory_ = false;
};

// ---- Owners of locks
// ------------------------------------------------------------------------------

const Sleeper* process_of(const std::vector<Sleeper>& tree, int pid) {
  const auto found =
      std::find_if(tree.begin(), tree.end(), [pid](const auto& p) { return p.pid == pid; });
  return found == tree.end() ? nullptr : &*found;
}

bool has_thread(const Sleeper& process, Pid inner) {
  return std::any_of(process.threads.begin(), process.threads.end(),
                     [inner](const auto& t) { return t.inner == inner && !t.exiting; });
}

/// Whether a live thread of that number may hold a lock at this place: one of the process itself,
/// or, where the memory is shared or was copied by a fork, any of the tree's.
bool lives(const std::vector<Sleeper>& tree, Pid inner) {
  return std::any_of(tree.begin(), tree.end(), [&](const auto& p) { return has_thread(p, inner); });
}

/// Whether the word is in the thread's list of robust mutexes that it holds.
bool in_robust_list(int pid, int tid, std::uint64_t word) {
  constexpr int kMost = 2048;
  robust_list_head* where = nullptr;
  std::size_t size = 0;
  robust_list_head head{};
  if (::syscall(SYS_get_robust_list, tid, &where, &size) != 0 || where == nullptr) return false;
  const auto begin = reinterpret_cast<std::uint64_t>(where);
  if (!sys::read_memory(pid, begin, &head, sizeof head)) return false;
  auto at = reinterpret_cast<std::uint64_t>(head.list.next);
  for (int i = 0; i < kMost && at != begin; ++i) {
    at &= ~1ULL;  // marks one that inherits priority
    if (at + static_cast<std::uint64_t>(head.futex_offset) == word) return true;
    robust_list entry{};
    if (!sys::read_memory(pid, at, &entry, sizeof entry)) return false;
    at = reinterpret_cast<std::uint64_t>(entry.next);
  }
  return false;
}

Pid robust_owner(const Sleeper& process, std::uint64_t address, std::uint32_t word) {
  const auto owner = static_cast<Pid>(word & FUTEX_TID_MASK);
  for (const auto& thread : process.threads) {
    if (thread.inner == owner && in_robust_list(process.pid, thread.tid, address)) return owner;
  }
  return 0;
}

/// The head of glibc's struct __pthread_mutex_s, the same on every 64-bit architecture.
struct GlibcMutex {
  std::uint32_t lock;
  std::uint32_t count;
  std::int32_t owner;
  std::uint32_t users;
  std::int32_t kind;
};

Pid glibc_owner(int pid, const FutexWait& wait) {
  constexpr std::uint32_t kContended = 2;
  constexpr int kKinds = 3;                       // normal, recursive, error-checking, adaptive
  constexpr int kMayBeSet = 3 | 128 | 256 | 512;  // those, shared, and the flags of lock elision
  GlibcMutex mutex{};
  if (wait.command != FUTEX_WAIT || wait.expected != kContended ||
      !sys::read_memory(pid, wait.address, &mutex, sizeof mutex)) {
    return 0;
  }
  const bool is_recursive = (mutex.kind & kKinds) == 1;
  const bool agrees = mutex.lock == kContended && mutex.users > 0 &&
                      (mutex.kind & ~kMayBeSet) == 0 && (mutex.count > 0) == is_recursive;
  return agrees ? mutex.owner : 0;
}

}  // namespace

std::vector<Resource> resources_of(const std::vector<harness::Wait>& waits,
                                   const std::vector<Sleeper>& tree) {
  Holders holders(waits);
  for (const auto& process : tree) holders.look_at(process);
  return holders.take();
}

Pid lock_owner(int pid, const FutexWait& wait, const std::vector<Sleeper>& tree) {
  const auto* process = process_of(tree, pid);
  std::uint32_t word = 0;
  if (process == nullptr || !sys::read_memory(pid, wait.address, &word, sizeof word)) return 0;
  const bool inherits_priority = wait.command == FUTEX_LOCK_PI || wait.command == FUTEX_LOCK_PI2;
  if (inherits_priority && lives(tree, static_cast<Pid>(word & FUTEX_TID_MASK)))
    return static_cast<Pid>(word & FUTEX_TID_MASK);
  if (const Pid owner = robust_owner(*process, wait.address, word)) return owner;
  const Pid owner = glibc_owner(pid, wait);
  return owner > 0 && lives(tree, owner) ? owner : 0;
}

}  // namespace poolproof::warden
