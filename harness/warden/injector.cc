#include "harness/warden/injector.h"

#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <utility>

#include "harness/sys/call_names.h"
#include "harness/sys/proc.h"
#include "harness/warden/ptrace.h"

namespace poolproof::warden {
namespace {

/// Calls whose first argument is a descriptor; what it is tells them apart.
constexpr std::array kOnDescriptors{
    SYS_read,    SYS_write,   SYS_readv,      SYS_writev,     SYS_pread64,   SYS_pwrite64,
    SYS_close,   SYS_recvmsg, SYS_recvfrom,   SYS_sendmsg,    SYS_sendto,    SYS_fcntl,
    SYS_ioctl,   SYS_lseek,   SYS_fstat,      SYS_getdents64, SYS_accept,    SYS_accept4,
    SYS_connect, SYS_bind,    SYS_listen,     SYS_shutdown,   SYS_epoll_ctl, SYS_ftruncate,
    SYS_dup,     SYS_dup3,    SYS_setsockopt, SYS_getsockopt};

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

}  // namespace

bool Injector::follows(const Process& process, int tid) const {
  if (!fault_) return false;
  if (failing_.contains(tid)) return true;
  if (fired_ || process.path != fault_->who) return false;
  return process.pid != tree_.main() || main_counts_;
}

void Injector::at_call(const Process& process, int tid) {
  const auto stop = trace::call_stop(tid);
  if (!stop) return;
  if (!stop->entry) {
    if (failing_.erase(tid) != 0) trace::set_result(tid, -fault_->number);
    return;
  }
  if (fired_ || !follows(process, tid)) return;
  const auto& numbers = kOnDescriptors;
  const bool on_descriptor =
      std::find(numbers.begin(), numbers.end(), stop->number) != numbers.end();
  const Call call{sys::call_name(stop->number),
                  on_descriptor ? kind_of_descriptor(process.pid, static_cast<int>(stop->first))
                                : std::string()};
  if (is_it(call)) fire(process, tid, call);
}

bool Injector::is_it(const Call& call) {
  ++all_;
  const int of_name = ++by_name_[call.name];
  const int of_target = ++by_target_[call.name + "(" + call.target + ")"];
  if (fault_->call == "*") return all_ == fault_->nth;
  if (fault_->call != call.name) return false;
  if (fault_->target.empty()) return of_name == fault_->nth;
  return fault_->target == call.target && of_target == fault_->nth;
}

/// Recorded before it is done: what it does comes behind it.
void Injector::fire(const Process& process, int tid, const Call& call) {
  fired_ = true;
  harness::Fault named = *fault_;
  named.call = call.name;
  named.target = call.target;
  named.nth =
      call.target.empty() ? by_name_[call.name] : by_target_[call.name + "(" + call.target + ")"];
  tree_.record(harness::FaultFired{process.inner, to_string(named), all_});
  tree_.alive(tid);  // if it makes no exit stop, it began to die after this
  switch (fault_->action) {
    case harness::Fault::Action::kSignal:
      ::kill(process.pid, fault_->number);
      break;
    case harness::Fault::Action::kErrno:
      if (trace::skip_call(tid)) failing_.insert(tid);
      break;
    case harness::Fault::Action::kStop:
      ::kill(process.pid, SIGSTOP);
      stopped_ = process.pid;
      stopped_at_ = tree_.now();
      break;
  }
}

bool Injector::keeps_stopped(harness::Nanoseconds now) {
  if (stopped_ == 0) return false;
  if (now - stopped_at_ < fault_->pause) return true;
  ::kill(std::exchange(stopped_, 0), SIGCONT);
  pause_ = now - stopped_at_;
  return false;
}

harness::Nanoseconds Injector::take_pause() {
  return std::exchange(pause_, harness::Nanoseconds{0});
}

}  // namespace poolproof::warden
