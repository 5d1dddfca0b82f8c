#include "harness/sys/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "harness/sys/fd.h"

namespace poolproof::sys {
namespace {

std::string proc_path(int pid, const char* rest) {
  return "/proc/" + std::to_string(pid) + "/" + rest;
}
std::string task_path(int pid, int tid, const char* rest) {
  return "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/" + rest;
}

std::optional<std::string> content(const std::string& path) {
  auto text = read_file(path);
  if (!text) return std::nullopt;
  return std::move(*text);
}

/// The text behind "\nKEY:\t" up to the line's end.
std::string_view field(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == std::string_view::npos) return {};
  const auto start = at + key.size();
  return text.substr(start, text.find('\n', start) - start);
}

std::uint64_t number(std::string_view text, int base = 10) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

/// The last of a tab-separated list, as NSpid has it: the innermost namespace.
std::string_view last_word(std::string_view list) {
  const auto at = list.find_last_of(" \t");
  return at == std::string_view::npos ? list : list.substr(at + 1);
}

std::vector<int> numeric_entries(const std::string& path) {
  std::vector<int> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  if (!directory) return found;
  while (const dirent* item = ::readdir(directory.get())) {
    if (item->d_name[0] >= '0' && item->d_name[0] <= '9') found.push_back(std::atoi(item->d_name));
  }
  return found;
}

std::vector<int> children_by_search(int pid) {
  std::vector<int> found;
  for (const int other : numeric_entries("/proc")) {
    const auto state = process_state(other);
    if (state && state->parent == pid) found.push_back(other);
  }
  return found;
}

}  // namespace

std::optional<TaskStatus> task_status(int tid) {
  const auto text = content(proc_path(tid, "status"));
  if (!text) return std::nullopt;
  TaskStatus status;
  const auto state = field(*text, "\nState:\t");
  if (!state.empty()) status.state = state.front();
  status.tgid = static_cast<int>(number(field(*text, "\nTgid:\t")));
  status.parent = static_cast<int>(number(field(*text, "\nPPid:\t")));
  status.inner_pid = static_cast<int>(number(last_word(field(*text, "\nNSpid:\t"))));
  status.tracer = static_cast<int>(number(field(*text, "\nTracerPid:\t")));
  status.pending = number(field(*text, "\nSigPnd:\t"), 16);
  status.shared_pending = number(field(*text, "\nShdPnd:\t"), 16);
  status.blocked = number(field(*text, "\nSigBlk:\t"), 16);
  status.voluntary_switches = number(field(*text, "\nvoluntary_ctxt_switches:\t"));
  status.context_switches =
      status.voluntary_switches + number(field(*text, "\nnonvoluntary_ctxt_switches:\t"));
  return status;
}

namespace {

/// The lines of /proc/PID/limits behind its head, one blank for several.
std::string limits_of(int pid) {
  const auto text = content(proc_path(pid, "limits"));
  if (!text) return "";
  std::string limits;
  for (std::size_t at = text->find('\n'); at != text->npos && at + 1 < text->size();) {
    const auto end = std::min(text->find('\n', at + 1), text->size());
    if (!limits.empty()) limits += "; ";
    for (const char c : std::string_view(*text).substr(at + 1, end - at - 1)) {
      if (c != ' ' || limits.empty() || limits.back() != ' ') limits += c;
    }
    while (limits.ends_with(' ')) limits.pop_back();
    at = end;
  }
  return limits;
}

/// The n-th field of /proc/PID/stat, from 3 on: those behind the program's name.
std::string stat_field(int pid, int n) {
  const auto text = content(proc_path(pid, "stat"));
  if (!text) return "";
  std::string_view rest = *text;
  rest.remove_prefix(std::min(rest.rfind(')'), rest.size()));
  for (int field = 2; field < n; ++field) {
    rest.remove_prefix(std::min(rest.find(' '), rest.size()));
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  }
  return std::string(rest.substr(0, rest.find(' ')));
}

std::string link_target(const std::string& path) {
  std::array<char, 4096> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  return size < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(size));
}

}  // namespace

std::optional<ProcessSettings> process_settings(int pid) {
  const auto text = content(proc_path(pid, "status"));
  if (!text) return std::nullopt;
  const auto status = [&](std::string_view key) { return std::string(field(*text, key)); };
  ProcessSettings settings;
  settings.blocked = status("\nSigBlk:\t");
  settings.ignored = status("\nSigIgn:\t");
  settings.caught = status("\nSigCgt:\t");
  settings.umask = status("\nUmask:\t");
  settings.group = last_word(field(*text, "\nNSpgid:\t"));
  settings.session = last_word(field(*text, "\nNSsid:\t"));
  settings.processors = status("\nCpus_allowed_list:\t");
  settings.folder = link_target(proc_path(pid, "cwd"));
  settings.root = link_target(proc_path(pid, "root"));
  settings.limits = limits_of(pid);
  constexpr int kNice = 19;  // proc(5)
  settings.nice = stat_field(pid, kNice);
  settings.oom_score_adj = content(proc_path(pid, "oom_score_adj")).value_or("");
  while (settings.oom_score_adj.ends_with('\n')) settings.oom_score_adj.pop_back();
  return settings;
}

std::optional<ProcessState> process_state(int pid) {
  const auto text = content(proc_path(pid, "stat"));
  if (!text) return std::nullopt;
  // The second field is the program's name in parentheses, and may hold any character.
  const auto name_end = text->rfind(')');
  if (name_end == std::string::npos || name_end + 4 > text->size()) return std::nullopt;
  ProcessState state;
  state.state = (*text)[name_end + 2];
  state.parent = static_cast<int>(number(std::string_view(*text).substr(name_end + 4)));
  return state;
}

std::optional<int> zombie_status(int pid) {
  const auto text = content(proc_path(pid, "stat"));
  if (!text) return std::nullopt;
  const auto name_end = text->rfind(')');
  if (name_end == std::string::npos || text->compare(name_end, 3, ") Z") != 0) return std::nullopt;
  return static_cast<int>(number(std::string_view(*text).substr(text->rfind(' '))));
}

std::optional<ScheduleTimes> schedule_times(int pid, int tid) {
  const auto text = content(task_path(pid, tid, "schedstat"));
  if (!text) return std::nullopt;
  const auto space = text->find(' ');
  if (space == std::string::npos) return std::nullopt;
  return ScheduleTimes{std::chrono::nanoseconds(number(*text)),
                       std::chrono::nanoseconds(number(std::string_view(*text).substr(space + 1)))};
}

std::optional<std::uint64_t> bytes_moved(int pid) {
  auto text = content(proc_path(pid, "io"));
  if (!text) return std::nullopt;
  text->insert(0, "\n");
  return number(field(*text, "\nrchar: ")) + number(field(*text, "\nwchar: "));
}

std::optional<BlockedCall> blocked_call(int pid, int tid) {
  const auto text = content(task_path(pid, tid, "syscall"));
  if (!text || text->empty()) return std::nullopt;
  BlockedCall call;
  if (text->rfind("running", 0) == 0) {
    call.running = true;
    return call;
  }
  char* at = nullptr;
  call.number = std::strtol(text->c_str(), &at, 10);
  if (call.number < 0) return call;
  for (auto& argument : call.arguments) argument = std::strtoull(at, &at, 16);
  return call;
}

std::optional<std::string> wait_channel(int pid, int tid) {
  return content(task_path(pid, tid, "wchan"));
}

namespace {

/// "7f1c00000000-7f1c00021000 rw-s 00000000 00:01 1024    /dev/zero (deleted)".
std::optional<Mapping> mapping_of(std::string_view line) {
  std::array<std::string_view, 5> words;
  std::string_view rest = line;
  for (auto& word : words) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
  }
  const auto dash = words[0].find('-');
  if (dash == std::string_view::npos || words[4].empty()) return std::nullopt;
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return Mapping{.begin = number(words[0], 16),
                 .end = number(words[0].substr(dash + 1), 16),
                 .offset = number(words[2], 16),
                 .shared = words[1].size() > 3 && words[1][3] == 's',
                 .file = std::string(words[3]) + ":" + std::string(words[4]),
                 .path = std::string(rest)};
}

}  // namespace

std::vector<Mapping> mappings(int pid) {
  std::vector<Mapping> found;
  const auto text = content(proc_path(pid, "maps"));
  if (!text) return found;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (auto mapping = mapping_of(line)) found.push_back(*std::move(mapping));
  }
  return found;
}

std::optional<Mapping> mapping_at(int pid, std::uint64_t address) {
  for (auto& mapping : mappings(pid)) {
    if (address >= mapping.begin && address < mapping.end) return std::move(mapping);
  }
  return std::nullopt;
}

std::optional<std::string> descriptor_target(int pid, int fd) {
  auto target = link_target(proc_path(pid, ("fd/" + std::to_string(fd)).c_str()));
  return target.empty() ? std::nullopt : std::optional(std::move(target));
}

std::optional<std::string> descriptor_info(int pid, int fd) {
  return content(proc_path(pid, ("fdinfo/" + std::to_string(fd)).c_str()));
}

std::optional<FileId> file_id(int pid, int fd) {
  struct stat status {};
  const auto path = proc_path(pid, ("fd/" + std::to_string(fd)).c_str());
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

std::optional<std::uint64_t> descriptor_inode(int pid, int fd) {
  const auto id = file_id(pid, fd);
  return id ? std::optional(id->inode) : std::nullopt;
}

std::vector<int> descriptors_of(int pid) {
  return numeric_entries(proc_path(pid, "fd"));
}

std::optional<int> descriptor_access(int pid, int fd) {
  const auto info = descriptor_info(pid, fd);
  if (!info) return std::nullopt;
  const auto flags = field(*info, "\nflags:\t");
  if (flags.empty()) return std::nullopt;
  return static_cast<int>(number(flags, 8) & O_ACCMODE);
}

std::optional<std::string> eventfd_name(int pid, int fd) {
  const auto info = descriptor_info(pid, fd);
  if (!info) return std::nullopt;
  const auto id = field(*info, "\neventfd-id: ");
  if (id.empty()) return std::nullopt;
  return "eventfd:[" + std::string(id) + "]";
}

std::optional<int> pidfd_inner_pid(int pid, int fd) {
  const auto info = descriptor_info(pid, fd);
  if (!info) return std::nullopt;
  const auto inner = static_cast<int>(number(last_word(field(*info, "\nNSpid:\t"))));
  return inner > 0 ? std::optional(inner) : std::nullopt;
}

std::vector<int> threads_of(int pid) {
  return numeric_entries(proc_path(pid, "task"));
}

std::optional<int> descriptor_count(int pid) {
  const auto path = proc_path(pid, "fd");
  if (::access(path.c_str(), R_OK | X_OK) != 0) return std::nullopt;
  return static_cast<int>(numeric_entries(path).size());
}

Result<void> keep_to_processors(int pid, int count) {
  // The kernel refuses a set smaller than its own, whose size it does not tell.
  constexpr int kMostProcessors = 1 << 16;
  const std::size_t size = CPU_ALLOC_SIZE(kMostProcessors);
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(kMostProcessors),
                                                             [](cpu_set_t* s) { CPU_FREE(s); });
  if (!set || ::sched_getaffinity(pid, size, set.get()) != 0)
    return Error::from_errno("sched_getaffinity");
  int kept = 0;
  for (int processor = 0; processor < kMostProcessors; ++processor) {
    const bool usable = CPU_ISSET_S(static_cast<std::size_t>(processor), size, set.get());
    if (usable && ++kept > count) CPU_CLR_S(static_cast<std::size_t>(processor), size, set.get());
  }
  if (::sched_setaffinity(pid, size, set.get()) != 0) return Error::from_errno("sched_setaffinity");
  return {};
}

std::optional<int> process_group(int pid) {
  const int group = ::getpgid(pid);
  return group >= 0 ? std::optional(group) : std::nullopt;
}

std::optional<std::uint64_t> private_memory(int pid) {
  const auto text = content(proc_path(pid, "status"));
  const auto kilobytes = text ? field(*text, "\nVmData:\t") : std::string_view();
  if (kilobytes.empty()) return std::nullopt;
  const auto digits = kilobytes.find_first_not_of(' ');
  return digits == kilobytes.npos ? std::nullopt
                                  : std::optional(number(kilobytes.substr(digits)) * 1024);
}

std::vector<int> children_of(int pid) {
  std::vector<int> found;
  for (const int tid : threads_of(pid)) {
    const auto text = content(task_path(pid, tid, "children"));
    if (!text) return children_by_search(pid);
    const char* at = text->c_str();
    char* end = nullptr;
    for (long child = std::strtol(at, &end, 10); end != at; child = std::strtol(at, &end, 10)) {
      found.push_back(static_cast<int>(child));
      at = end;
    }
  }
  return found;
}

bool read_memory(int pid, std::uint64_t address, void* into, std::size_t size) {
  iovec local{into, size};
  iovec remote{reinterpret_cast<void*>(address), size};  // NOLINT: an address of another process
  return ::process_vm_readv(pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

std::optional<bool> has_posix_timers(int pid) {
  const auto text = content(proc_path(pid, "timers"));
  if (!text) return std::nullopt;
  return !text->empty();
}

}  // namespace poolproof::sys
