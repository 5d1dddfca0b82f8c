#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/sys/result.h"

namespace poolproof::sys {

/// Readers of /proc. Each is one look at something that may vanish at any time: nullopt means that
/// the process or thread is gone or may not be looked at, which is never an error here.
/// Pids are those of this process's own PID namespace. Source: proc(5).

struct TaskStatus {
  int tgid = 0;
  int parent = 0;     // the parent's tgid
  int inner_pid = 0;  // in the innermost PID namespace that the task is in
  int tracer = 0;     // who ptraces it; 0: nobody
  char state = '?';
  std::uint64_t pending = 0;         // signals for this thread, bit n-1 for signal n
  std::uint64_t shared_pending = 0;  // signals for the process
  std::uint64_t blocked = 0;
  std::uint64_t context_switches = 0;  // voluntary and involuntary
  std::uint64_t voluntary_switches = 0;
};
std::optional<TaskStatus> task_status(int tid);

/// What a process has set for itself, in the kernel's own words; empty where it does not tell.
struct ProcessSettings {
  std::string blocked;  // of this thread; the others are the process's
  std::string ignored;
  std::string caught;
  std::string umask;
  std::string group;  // and session: in the innermost PID namespace
  std::string session;
  std::string processors;  // that this thread may use: "0-1,4"
  std::string folder;      // it works in
  std::string root;
  std::string limits;  // one after the other: "Max open files 1024 4096 files; ..."
  std::string nice;
  std::string oom_score_adj;
};
std::optional<ProcessSettings> process_settings(int pid);

/// State letter and parent from /proc/PID/stat: cheaper than task_status.
struct ProcessState {
  char state = '?';
  int parent = 0;
};
std::optional<ProcessState> process_state(int pid);

/// A zombie's wait status (the last field of stat), which stays readable until it is reaped;
/// nullopt where it is gone or the kernel hides it (needs the right to ptrace it).
std::optional<int> zombie_status(int pid);

/// The first two fields of schedstat. A wait that still goes on is in neither: it is added when the
/// task gets its processor.
struct ScheduleTimes {
  std::chrono::nanoseconds ran{0};
  std::chrono::nanoseconds waited{0};  // on a run queue, ready but not running
  bool operator==(const ScheduleTimes&) const = default;
};
std::optional<ScheduleTimes> schedule_times(int pid, int tid);

/// What all threads of the process, dead ones too, have read and written by read(2), write(2) and
/// their like; not by calls of sockets alone.
std::optional<std::uint64_t> bytes_moved(int pid);

/// What the task is blocked in. `number` is -1 while it is in no system call (page fault).
struct BlockedCall {
  bool running = false;
  long number = -1;
  std::array<std::uint64_t, 6> arguments{};
};
std::optional<BlockedCall> blocked_call(int pid, int tid);

/// The kernel function that the task sleeps in; "0" where the kernel does not tell.
std::optional<std::string> wait_channel(int pid, int tid);

/// A line of maps.
struct Mapping {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;  // of `begin` in the file
  bool shared = false;       // what one writes the others see
  std::string file;          // device and inode, "00:01:1024"; inode 0: no file
  std::string path;          // "/lib/libc.so.6", "/dev/zero (deleted)", "[heap]"; empty: anonymous
};
std::vector<Mapping> mappings(int pid);
/// The one that an address lies in.
std::optional<Mapping> mapping_at(int pid, std::uint64_t address);

/// "pipe:[4711]", "socket:[4712]", "anon_inode:[eventfd]", "/path".
std::optional<std::string> descriptor_target(int pid, int fd);
std::optional<std::string> descriptor_info(int pid, int fd);
std::optional<std::uint64_t> descriptor_inode(int pid, int fd);
/// Which file a descriptor is of, whoever holds it.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileId&) const = default;
};
std::optional<FileId> file_id(int pid, int fd);

/// The numbers of all open descriptors; empty where they may not be looked at.
std::vector<int> descriptors_of(int pid);
/// How it was opened (O_RDONLY, O_WRONLY, O_RDWR), from fdinfo.
std::optional<int> descriptor_access(int pid, int fd);
/// "eventfd:[4]", by the number that the kernel gives each (5.2 and later); what several
/// descriptors of one eventfd have in common.
std::optional<std::string> eventfd_name(int pid, int fd);
/// The process that a pidfd stands for, by its number in the innermost namespace; nullopt once it
/// is reaped, or where `fd` is no pidfd.
std::optional<int> pidfd_inner_pid(int pid, int fd);

std::vector<int> threads_of(int pid);
std::optional<int> descriptor_count(int pid);
/// Lets it run on the first `count` of the processors that it may use, or on all if they are fewer.
/// Errors: the kernel refuses. Source: sched_setaffinity(2).
Result<void> keep_to_processors(int pid, int count);

/// The id of the process group that it is in.
std::optional<int> process_group(int pid);

/// Bytes of private writable memory, as RLIMIT_DATA counts them.
std::optional<std::uint64_t> private_memory(int pid);

/// Direct children of all the process's threads. Needs CONFIG_PROC_CHILDREN; where the kernel has
/// none, the whole of /proc is searched for the parent.
std::vector<int> children_of(int pid);

/// Reads another process's memory; false when it cannot. Source: process_vm_readv(2).
bool read_memory(int pid, std::uint64_t address, void* into, std::size_t size);

/// Whether the process has POSIX timers (timer_create); nullopt when the kernel does not tell.
std::optional<bool> has_posix_timers(int pid);

}  // namespace poolproof::sys
