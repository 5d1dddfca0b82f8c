#include "harness/warden/injector.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "harness/sys/call_names.h"
#include "harness/sys/proc.h"
#include "harness/warden/claims.h"
#include "harness/warden/typical_error.h"

namespace poolproof::warden {
namespace {

using harness::Fault;
using Trigger = Fault::Trigger;
using Action = Fault::Action;

/// Calls whose first argument is a descriptor; what it is tells them apart.
constexpr std::array kOnDescriptors{
    SYS_read,    SYS_write,   SYS_readv,      SYS_writev,     SYS_pread64,   SYS_pwrite64,
    SYS_close,   SYS_recvmsg, SYS_recvfrom,   SYS_sendmsg,    SYS_sendto,    SYS_fcntl,
    SYS_ioctl,   SYS_lseek,   SYS_fstat,      SYS_getdents64, SYS_accept,    SYS_accept4,
    SYS_connect, SYS_bind,    SYS_listen,     SYS_shutdown,   SYS_epoll_ctl, SYS_ftruncate,
    SYS_dup,     SYS_dup3,    SYS_setsockopt, SYS_getsockopt};

constexpr std::array kBirths{
#ifdef SYS_fork
    SYS_fork, SYS_vfork,
#endif
    SYS_clone, SYS_clone3};

template <class Numbers>
bool has(const Numbers& numbers, long number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

/// clone3 has its flags first in what its argument points to. Source: clone(2).
bool makes_a_thread(const Process& process, const trace::CallStop& stop) {
  std::uint64_t flags = 0;
  if (stop.number == SYS_clone) flags = stop.arguments[0];
  if (stop.number == SYS_clone3)
    (void)sys::read_memory(process.pid, stop.arguments[0], &flags, sizeof flags);
  return (flags & CLONE_THREAD) != 0;
}

/// "pipe", "socket", "eventfd", "memfd", "file"; empty where it cannot be told.
std::string kind_of_descriptor(int pid, int fd) {
  const auto target = sys::descriptor_target(pid, fd);
  if (!target) return "";
  constexpr std::string_view kAnonymous = "anon_inode:";
  std::string_view text = *target;
  if (text.starts_with(kAnonymous)) {
    text.remove_prefix(kAnonymous.size());
    std::string word;
    for (const char c : text) {
      if (c >= 'a' && c <= 'z') word += c;
    }
    return word;
  }
  if (text.starts_with("pipe:")) return "pipe";
  if (text.starts_with("socket:")) return "socket";
  if (text.starts_with("/memfd:")) return "memfd";
  return text.starts_with("/dev/") && !text.starts_with("/dev/shm/") ? "device" : "file";
}

/// The number of a step that a claim is about, if it is the trigger's kind of claim.
bool meets(const Fault& fault, const harness::Event& claim) {
  switch (fault.trigger) {
    case Trigger::kBeforeStep: {
      const auto* begun = std::get_if<harness::StepBegun>(&claim.kind);
      return begun != nullptr && begun->step == fault.nth;
    }
    case Trigger::kAfterStep: {
      const auto* ended = std::get_if<harness::StepEnded>(&claim.kind);
      return ended != nullptr && ended->step == fault.nth;
    }
    case Trigger::kTask: {
      const auto* begun = std::get_if<harness::TaskBegun>(&claim.kind);
      return begun != nullptr && begun->task == fault.nth;
    }
    case Trigger::kCall:
      break;
  }
  return false;
}

bool fails_a_call(Action action) {
  return action == Action::kErrno || action == Action::kTypicalError;
}

constexpr std::string_view kWorker = "worker";

bool is_worker(const std::string& who) {
  return who.starts_with(kWorker);
}

}  // namespace

bool Injector::counts_by_filter() const {
  return filter_ && fault_->call != "*";
}

std::vector<long> Injector::filtered_calls() const {
  std::vector<long> numbers;
  if (!fault_) return numbers;
  if (fault_->trigger == Trigger::kCall && fault_->call != "*")
    numbers.push_back(sys::call_number(fault_->call).value_or(-1));
  if (fault_->action == Action::kLimitProcesses || fault_->action == Action::kReusePids)
    numbers.insert(numbers.end(), kBirths.begin(), kBirths.end());
  return numbers;
}

std::string Injector::sync_points() const {
  if (!fault_) return "";
  switch (fault_->trigger) {
    case Trigger::kBeforeStep:
      return "step-begun ";
    case Trigger::kAfterStep:
      return "step-ended:" + std::to_string(fault_->nth) + " ";
    case Trigger::kTask:
      return "task-begun ";
    case Trigger::kCall:
      break;
  }
  if (fault_->who == "main") return "step-begun ";
  return is_worker(fault_->who) ? "task-begun " : "";
}

void Injector::note_claim(const harness::Event& claim) {
  if (!fault_) return;
  if (std::holds_alternative<harness::StepBegun>(claim.kind)) main_counts_ = true;
  const auto writer = writer_of(claim);
  const bool begins_a_task = std::holds_alternative<harness::TaskBegun>(claim.kind);
  if (begins_a_task && !has(workers_, writer)) workers_.push_back(writer);
  if (!fired_ && meets(*fault_, claim)) met_by_ = writer;
}

void Injector::at_sync_point(const Process& process, int tid) {
  if (fired_ || met_by_ == 0 || process.inner != met_by_) return;
  met_by_ = 0;
  fire(process, tid, *fault_);
}

/// By birth, or by role as far as it is known by now.
bool Injector::names(const Process& process) const {
  const auto& who = fault_->who;
  if (!is_worker(who)) return process.path == who;
  const auto number = static_cast<std::size_t>(std::atoi(who.c_str() + kWorker.size()));
  return number >= 1 && number <= workers_.size() && workers_[number - 1] == process.inner;
}

bool Injector::follows(const Process& process, int tid) const {
  if (!fault_) return false;
  if (effects_.awaits_exit(tid)) return true;
  if (strikes_births() && !filter_) return true;
  if (fault_->trigger != Trigger::kCall || counts_by_filter()) return false;
  if ((fired_ && !fault_->lasting) || !names(process)) return false;
  return process.pid != tree_.main() || main_counts_;
}

void Injector::at_call(const Process& process, int tid, const trace::CallStop& stop) {
  if (!fault_ || stop.foreign) return;
  if (stop.at == trace::CallStop::At::kExit) return effects_.at_exit(tid);
  const bool by_filter = stop.at == trace::CallStop::At::kFilter;
  if (strikes_births() && by_filter == filter_ && has(kBirths, stop.number))
    return at_birth(tid, process, stop);
  if (fault_->trigger != Trigger::kCall || by_filter != counts_by_filter()) return;
  if ((fired_ && !fault_->lasting) || !names(process)) return;
  if (process.pid == tree_.main() && !main_counts_) return;
  if (fails_a_call(fault_->action) && is_a_claim(process, stop)) return;
  const Call call = described(process, stop);
  if (is_it(call)) hit(process, tid, stop, call);
}

bool Injector::strikes_births() const {
  return effects_.births_fail() || effects_.births_reuse_pids();
}

void Injector::at_birth(int tid, const Process& process, const trace::CallStop& stop) {
  if (effects_.births_fail()) return effects_.fail(tid, stop, EAGAIN);
  if (makes_a_thread(process, stop)) return;
  if (const auto pid = tree_.free_pid()) effects_.give_pid(*pid);
}

void Injector::note_claims(std::string path, int descriptor) {
  claims_path_ = std::move(path);
  claims_ = sys::file_id(::getpid(), descriptor);
}

bool Injector::is_a_claim(const Process& process, const trace::CallStop& stop) const {
  if (has(kOnDescriptors, stop.number)) {
    const auto file = sys::file_id(process.pid, static_cast<int>(stop.arguments[0]));
    return file && file == claims_;
  }
  if (stop.number != SYS_openat) return false;
  std::string path(claims_path_.size() + 1, ' ');  // with the byte that ends it
  return sys::read_memory(process.pid, stop.arguments[1], path.data(), path.size()) &&
         path.c_str() == claims_path_;
}

Injector::Call Injector::described(const Process& process, const trace::CallStop& stop) const {
  Call call{sys::call_name(stop.number), "", std::nullopt};
  if (has(kOnDescriptors, stop.number))
    call.target = kind_of_descriptor(process.pid, static_cast<int>(stop.arguments[0]));
  if (fault_->action == Action::kTypicalError) call.typical = typical_error(call.name, call.target);
  return call;
}

/// Of one name all calls are counted, so that the token that is recorded means the same without the
/// reason why this call was chosen.
bool Injector::is_it(const Call& call) {
  const int of_name = ++by_name_[call.name];
  const int of_target = ++by_target_[call.name + "(" + call.target + ")"];
  if (fault_->action == Action::kTypicalError && !call.typical) return false;
  ++all_;
  const auto counted = [this](int so_far) {
    return fault_->lasting ? so_far >= fault_->nth : so_far == fault_->nth;
  };
  if (fault_->call == "*") return counted(all_);
  if (fault_->call != call.name) return false;
  if (fault_->target.empty()) return counted(of_name);
  return fault_->target == call.target && counted(of_target);
}

void Injector::hit(const Process& process, int tid, const trace::CallStop& stop, const Call& call) {
  Fault named = *fault_;
  named.call = call.name;
  named.target = call.target;
  named.nth =
      call.target.empty() ? by_name_[call.name] : by_target_[call.name + "(" + call.target + ")"];
  if (call.typical) {
    named.action = Action::kErrno;
    named.number = *call.typical;
  }
  if (!fired_) fire(process, tid, named);
  if (fails_a_call(fault_->action)) effects_.fail(tid, stop, named.number);
}

/// Recorded before it is done: what it does comes behind it.
void Injector::fire(const Process& process, int tid, const Fault& named) {
  const auto hit = targets(process);
  if (hit.empty()) return;  // nobody is there by that name
  if (!effects_.can(named)) return;
  fired_ = true;
  tree_.record(harness::FaultFired{hit.front()->inner, to_string(named), all_});
  tree_.alive(tid);  // if it makes no exit stop, it began to die after this
  effects_.strike(named, hit, tid, tree_.now());
}

/// Main's process group was begun by main, so that its number is main's.
std::vector<const Process*> Injector::targets(const Process& stood) const {
  if (fault_->trigger == Trigger::kCall || fault_->who == kWorker) return {&stood};
  std::vector<const Process*> found;
  for (const auto& [pid, process] : tree_.live()) {
    const bool of_group =
        fault_->who == "group" && sys::process_group(pid) == std::optional(tree_.main());
    if (!of_group && !names(process)) continue;
    found.insert(pid == tree_.main() ? found.begin() : found.end(), &process);
  }
  return found;
}

}  // namespace poolproof::warden
