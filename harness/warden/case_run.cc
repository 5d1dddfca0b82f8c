#include "harness/warden/case_run.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "harness/sys/clock.h"
#include "harness/sys/proc.h"
#include "harness/warden/child_signal.h"
#include "harness/warden/claims.h"
#include "harness/warden/delay.h"
#include "harness/warden/holders.h"
#include "harness/warden/injector.h"
#include "harness/warden/output.h"
#include "harness/warden/polling.h"
#include "harness/warden/prompts.h"
#include "harness/warden/rest.h"
#include "harness/warden/source.h"
#include "harness/warden/tree.h"

namespace poolproof::warden {
namespace {

using namespace std::chrono_literals;
using harness::End;
using harness::Nanoseconds;

constexpr Nanoseconds kTick = 10ms;
constexpr Nanoseconds kSampleEvery = 20ms;
constexpr Nanoseconds kQuietBeforeLook = 10ms;
constexpr Nanoseconds kLongestBetweenLooks = 50ms;
constexpr Nanoseconds kCleanUpLimit = 10s;
/// More facts than any case needs, and few enough for a trace that can be read again.
constexpr std::size_t kMostEvents = 10'000;
/// So many processes that died while main waits, and nobody claimed anything: enough for the rules
/// (W8, P2) to speak of workers that are replaced in vain, be they of two makers.
constexpr int kMostDeathsInVain = 60;

/// Where the kits shall stop for us: before the first step and behind the last, at the end of the
/// steps that want the process table as it is then, and where a fault wants it. All other claims
/// are read soon enough from the file.
std::string sync_points(const Request& request, const Injector& injector) {
  std::string words = injector.sync_points() + "started ending ";
  for (const int step : request.snapshot_steps) {
    words += "step-ended:" + std::to_string(step) + " ";
  }
  return words;
}

class CaseRun {
 public:
  CaseRun(Sandbox& sandbox, const Request& request, int runner)
      : sandbox_(sandbox),
        request_(request),
        runner_(runner),
        tree_(sandbox.init_pid()),
        injector_(tree_, request.fault,
                  {[this] { outputs_.at(0).close(); },
                   [this](harness::Pid pid) { return sandbox_.set_next_pid(pid); }}),
        claims_(sandbox.claims()),
        prompts_(request.prompt_steps),
        waits_(request.waiting_steps) {
    injector_.note_claims(sandbox.claims_path(), sandbox.claims());
  }

  sys::Result<Recorded> run(const Held& held);

 private:
  sys::Result<void> start();
  sys::Result<void> observe();
  sys::Result<void> clean();
  void wait(Nanoseconds at_most);
  bool drain_outputs();
  sys::Result<void> take_exec_outcome();
  bool read_claims();
  void take_claim(harness::Event event);
  void look_at_main(int tid);
  void sample();
  Nanoseconds tree_span(Nanoseconds from, Nanoseconds delay_then) const;
  bool look_is_due() const;
  void look_for_rest();
  bool nobody_else();
  bool over();
  bool has_become_too_much();
  bool grace_exceeded(Nanoseconds from, Nanoseconds delay_then);
  bool prompt_exceeded();
  bool polls_in_vain() const;
  bool dies_in_vain() const;
  void note_polling();
  void stop(End end) {
    end_ = end;
    over_ = true;
  }
  void stop_at_limit(const char* what) {
    tree_.record({tree_.now(), harness::LimitHit{what}});
    stop(End::kLimit);
  }
  void hold(const Held& held);
  void record_survivors();
  void record_holes();
  void find_foreign();
  harness::Trace take_trace();

  Sandbox& sandbox_;
  const Request& request_;
  int runner_;
  ChildSignal child_signal_;
  Tree tree_;
  Injector injector_;
  DelayMeter delay_;
  ClaimReader claims_;
  std::unique_ptr<Source> source_;
  std::vector<Output> outputs_;
  Outside outside_;
  std::array<bool, 2> readable_{};
  bool exec_known_ = false;
  bool init_spoke_ = false;
  bool asked_to_end_ = false;
  std::set<int> foreign_;
  bool wakers_seen_ = false;
  bool over_ = false;
  End end_ = End::kAllDead;
  Prompts prompts_;
  Prompts waits_;  // whose end main waits for
  PollMeter polls_;
  Nanoseconds last_activity_{0};
  int deaths_at_claim_ = 0;
  std::string main_at_;  // main's last claim, where we want to look at it then
  Nanoseconds next_look_{0};
  Nanoseconds between_looks_ = kQuietBeforeLook;
  Nanoseconds delay_at_death_{-1};
  Look last_look_;
  std::vector<std::uint64_t> recorded_rest_;
  bool dirty_ = false;
};

sys::Result<void> CaseRun::start() {
  if (request_.hold && sandbox_.rung() != Rung::kNamespaces)
    return sys::Error("to hold takes rung 1: elsewhere something could get away");
  if (injector_.has_fault() && sandbox_.rung() == Rung::kNoTrace)
    return sys::Error("a fault cannot be placed without ptrace (rung 3)");
  SmallPipes small_pipes(request_.inherits.contains(harness::Inherited::kSmallPipes));
  auto filtered = injector_.filtered_calls();
  const auto of_pipes = small_pipes.filtered_calls();
  filtered.insert(filtered.end(), of_pipes.begin(), of_pipes.end());
  auto waiting = sandbox_.start(request_.command, request_.scenario,
                                sync_points(request_, injector_), filtered, request_.inherits);
  if (!waiting) return waiting.error();
  outputs_.emplace_back("stdout", std::move(waiting->output));
  outputs_.emplace_back("stderr", std::move(waiting->error));
  for (const auto& output : outputs_) outside_.pipes.insert(output.inode());
  outside_.contained = sandbox_.rung() == Rung::kNamespaces;
  outside_.shown = sandbox_.shown();
  wakers_seen_ = waiting->wakers_seen;
  injector_.note_filter(waiting->wakers_seen);
  const auto claims = [this] { read_claims(); };
  const auto sync_point = [this](int tid) { look_at_main(tid); };
  source_ =
      sandbox_.rung() == Rung::kNoTrace
          ? proc_source(tree_, sandbox_.init_pid(), claims)
          : ptrace_source(tree_, delay_, injector_, std::move(small_pipes), claims, sync_point);
  // Its children will inherit it, and so will the program that it becomes.
  if (request_.processors > 0) {
    if (auto bound = sys::keep_to_processors(waiting->pid, request_.processors); !bound)
      return bound;
  }
  tree_.begin(sys::monotonic_now());
  if (auto followed = source_->follow(waiting->pid); !followed) return followed;
  delay_.sample({}, sys::monotonic_now());
  return sandbox_.go();
}

void CaseRun::wait(Nanoseconds at_most) {
  // While a case runs, all that can come is that it shall end; who holds one waits for that itself.
  const short asks = request_.hold || asked_to_end_ ? 0 : POLLIN;
  const int handshake = sandbox_.exec_pending() ? sandbox_.handshake() : -1;
  std::array<pollfd, 6> wanted{
      pollfd{outputs_[0].descriptor(), POLLIN, 0}, pollfd{outputs_[1].descriptor(), POLLIN, 0},
      pollfd{child_signal_.get(), POLLIN, 0},      pollfd{handshake, POLLIN, 0},
      pollfd{sandbox_.control(), POLLIN, 0},       pollfd{runner_, asks, 0}};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
  if (::poll(wanted.data(), wanted.size(), static_cast<int>(milliseconds)) <= 0) return;
  // The runner is gone: nobody wants the answer. The sandbox goes with us.
  if ((wanted[5].revents & (POLLHUP | POLLERR)) != 0) ::_exit(0);
  for (std::size_t i = 0; i < readable_.size(); ++i) readable_[i] |= wanted[i].revents != 0;
  if (wanted[2].revents != 0) child_signal_.take();
  exec_known_ |= wanted[3].revents != 0;
  init_spoke_ |= wanted[4].revents != 0;
  asked_to_end_ |= (wanted[5].revents & POLLIN) != 0;
}

bool CaseRun::drain_outputs() {
  bool any = false;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    auto& output = outputs_[i];
    if (!std::exchange(readable_[i], false) || !output.open()) continue;
    any |= output.drain();
    if (output.open()) continue;
    read_claims();  // who held it may have written some before it went
    tree_.record(harness::OutputEof{output.stream()});
  }
  return any;
}

bool CaseRun::read_claims() {
  auto claims = claims_.read(tree_.start());
  if (!claims.empty()) {
    last_activity_ = tree_.now();
    deaths_at_claim_ = tree_.deaths();
  }
  for (auto& claim : claims) take_claim(std::move(claim));
  return !claims.empty();
}

void CaseRun::take_claim(harness::Event event) {
  prompts_.note(event, delay_.total());
  waits_.note(event, delay_.total());
  injector_.note_claim(event);
  const auto* ended = std::get_if<harness::StepEnded>(&event.kind);
  const int step = ended != nullptr ? ended->step : 0;
  const auto writer = writer_of(event);
  if (tree_.is_main(writer)) {
    main_at_ = std::holds_alternative<harness::Started>(event.kind)       ? "started"
               : std::holds_alternative<harness::EndingBegun>(event.kind) ? "ending"
                                                                          : "";
  }
  tree_.record(std::move(event));
  tree_.spoke(writer);
  const auto& steps = request_.snapshot_steps;
  const bool looked_at = std::find(steps.begin(), steps.end(), step) != steps.end();
  if (step != 0 && looked_at) tree_.record(tree_.snapshot(step));
}

/// Where main has just told that it begins, or ends.
void CaseRun::look_at_main(int tid) {
  const auto at = std::exchange(main_at_, "");
  const auto claims = sys::file_id(::getpid(), sandbox_.claims());
  if (at.empty() || tid != tree_.main() || !claims) return;
  if (auto state = tree_.main_state(at, *claims)) tree_.record(*std::move(state));
}

void CaseRun::sample() {
  const auto before = delay_.total();
  delay_.sample(tree_.thread_ids(), sys::monotonic_now());
  if (delay_.total() != before) tree_.record(harness::Delay{delay_.total()});
}

Nanoseconds CaseRun::tree_span(Nanoseconds from, Nanoseconds delay_then) const {
  return tree_.now() - from - (delay_.total() - delay_then);
}

bool CaseRun::look_is_due() const {
  const auto now = tree_.now();
  return now - last_activity_ >= kQuietBeforeLook && now >= next_look_;
}

/// Whether the tree is all there is: no process or thread that ptrace did not announce. One such
/// could wake the others.
bool CaseRun::nobody_else() {
  find_foreign();
  const auto& live = tree_.live();
  return foreign_.empty() && source_->settled() &&
         std::all_of(live.begin(), live.end(), [](const auto& entry) {
           const auto& threads = entry.second.threads;
           const auto now = sys::threads_of(entry.first);
           return std::all_of(now.begin(), now.end(),
                              [&](int tid) { return threads.count(tid) != 0; });
         });
}

/// Two looks that agree show the tree at rest. It is recorded once per place where it rests; where
/// it is proved to be for ever the case is over.
void CaseRun::look_for_rest() {
  Look now = look(tree_.sleepers(wakers_seen_), outside_);
  between_looks_ =
      now.blocked ? kQuietBeforeLook : std::min(between_looks_ * 2, kLongestBetweenLooks);
  next_look_ = tree_.now() + between_looks_;
  if (!now.blocked)
    polls_.look_at(tree_.sleepers(wakers_seen_), outside_, tree_.now(), delay_.total());
  const bool agreed = now.agrees_with(last_look_);
  last_look_ = std::move(now);
  if (!agreed || last_look_.switches == recorded_rest_) return;
  const bool alone = nobody_else();
  const auto tree = tree_.sleepers(wakers_seen_);
  auto resources = resources_of(last_look_.waits, tree);
  const auto ends = doubt_about_ends(last_look_.waits, resources, tree, outside_);
  // A stop, a claim or some output that came while we looked means that it was not at rest.
  readable_.fill(true);
  if (source_->pump() || read_claims() || drain_outputs()) return;
  recorded_rest_ = last_look_.switches;
  if (!alone) last_look_.doubt_all("a process or thread that no birth announced");
  if (!ends.empty()) last_look_.doubt_all(ends);
  const bool proved = last_look_.proved() && source_->exact();
  tree_.record(harness::AtRest{proved, last_look_.waits, std::move(resources)});
  if (proved) stop(End::kAtRest);
}

/// What was sampled last may be some ms old; the decision takes a fresh one.
bool CaseRun::grace_exceeded(Nanoseconds from, Nanoseconds delay_then) {
  if (tree_span(from, delay_then) <= request_.settings.grace) return false;
  sample();
  return tree_span(from, delay_then) > request_.settings.grace;
}

bool CaseRun::prompt_exceeded() {
  if (tree_.main_dead()) prompts_.note_main_dead();
  const auto& open = prompts_.open();
  return std::any_of(open.begin(), open.end(),
                     [this](const auto& span) { return grace_exceeded(span.begun, span.delay); });
}

/// Whether main waits in vain for what should come by itself.
bool CaseRun::polls_in_vain() const {
  return source_->exact() && polls_.in_vain() && !waits_.open().empty() && !tree_.main_dead();
}

/// Whether processes come and go while main waits in vain.
bool CaseRun::dies_in_vain() const {
  return source_->exact() && tree_.deaths() - deaths_at_claim_ >= kMostDeathsInVain &&
         !waits_.open().empty() && !tree_.main_dead();
}

void CaseRun::note_polling() {
  if (!polls_in_vain()) return;
  auto polling = polls_.polling();
  if (!nobody_else()) polling.doubt = "a process or thread that no birth announced";
  tree_.record(std::move(polling));
}

bool CaseRun::has_become_too_much() {
  const char* what = tree_.births() > request_.settings.max_births ? "births"
                     : tree_.event_count() > kMostEvents           ? "events"
                     : claims_.full()                              ? "claims"
                                                                   : nullptr;
  if (what != nullptr) stop_at_limit(what);
  return what != nullptr;
}

bool CaseRun::over() {
  if (over_) return true;
  if (injector_.keeps_waiting(tree_.now())) return false;
  if (const auto pause = injector_.take_pause(); pause > 0ns) {
    delay_.excuse(pause);
    tree_.record(harness::Delay{delay_.total()});
  }
  const bool outputs_closed =
      std::none_of(outputs_.begin(), outputs_.end(), [](const auto& o) { return o.open(); });
  if (tree_.empty() && outputs_closed) {
    stop(End::kAllDead);
  } else if (has_become_too_much()) {
    return true;
  } else if (tree_.main_dead() && delay_at_death_ >= 0ns &&
             grace_exceeded(tree_.main_dead_at(), delay_at_death_)) {
    stop(End::kGrace);
  } else if (prompt_exceeded()) {
    note_polling();
    stop(End::kDeadline);
  } else if (polls_in_vain() && polls_.polling().doubt.empty() &&
             grace_exceeded(polls_.since(), polls_.delay_then())) {
    note_polling();
    stop(End::kPolling);
  } else if (dies_in_vain()) {
    stop(End::kPolling);
  } else if (tree_.now() > request_.settings.fuse) {
    note_polling();
    stop(End::kFuse);
  } else if (asked_to_end_) {
    note_polling();
    stop(End::kTimeOver);
  }
  return over_;
}

sys::Result<void> CaseRun::take_exec_outcome() {
  if (auto exec = sandbox_.exec_outcome(); !exec) return exec;
  // exec closes the handshake; so does an end before it.
  const bool unseen = source_->exact() && tree_.main_dead() && !tree_.main_execed();
  return unseen ? sys::Error("the adapter died before its program began") : sys::Result<void>();
}

sys::Result<void> CaseRun::observe() {
  while (!over()) {
    const bool news = source_->pump();
    // Most claims wake nobody. They are taken before the sample, since a prompt step's span begins
    // with the delay that was known before it.
    const bool claimed = read_claims();
    if (drain_outputs() || claimed || news) {
      last_activity_ = tree_.now();
      between_looks_ = kQuietBeforeLook;
      last_look_ = {};
      polls_.reset(last_activity_, delay_.total());
    }
    if (tree_.main_dead() && delay_at_death_ < 0ns) {
      // The lenient choice: what is not yet counted comes off later.
      delay_at_death_ = delay_.total();
    }
    if (sys::monotonic_now() - delay_.last_sample() >= kSampleEvery) sample();
    if (look_is_due() && !injector_.keeps_waiting(tree_.now())) look_for_rest();
    if (over()) break;
    wait(source_->has_more() ? 0ns : kTick);
    if (init_spoke_) return sys::Error("the sandbox's init died");
    if (std::exchange(exec_known_, false)) {
      if (auto exec = take_exec_outcome(); !exec) return exec;
    }
  }
  // Main may have come to its end before we asked how its exec went.
  if (sandbox_.exec_pending() && tree_.main_dead()) return take_exec_outcome();
  return {};
}

void CaseRun::record_survivors() {
  if (!tree_.empty()) {
    sample();
    tree_.record(tree_.snapshot(0));
  }
  for (const auto& [pid, process] : tree_.live()) {
    tree_.note_cut_short(process.inner);
    tree_.record(harness::KilledByWarden{process.inner});
  }
}

/// Anything below init that no birth event announced and that nobody traces for us
/// (CLONE_UNTRACED). What is traced and not yet in the tree will be announced.
void CaseRun::find_foreign() {
  if (!source_->exact()) return;
  std::vector<int> parents{sandbox_.init_pid()};
  for (std::size_t i = 0; i < parents.size(); ++i) {
    for (const int child : sys::children_of(parents[i])) {
      parents.push_back(child);
      if (tree_.owner(child) != nullptr) continue;
      // Init's own: orphans of the tree become this one's children, not init's.
      const bool is_reaper = i == 0 && request_.inherits.count(harness::Inherited::kSubreaper) > 0;
      if (is_reaper) continue;
      const auto status = sys::task_status(child);
      const bool ended =
          !status || status->inner_pid == 0 || status->state == 'Z' || status->state == 'X';
      if (ended || status->tracer == ::getpid() || !foreign_.insert(child).second) continue;
      tree_.record(harness::Foreign{status->inner_pid});
      dirty_ = true;
    }
  }
}

/// What the claims file should hold and does not, or the other way round.
void CaseRun::record_holes() {
  for (const auto& torn : claims_.torn()) {
    const bool excused =
        torn.writer != 0 ? tree_.was_cut_short(torn.writer) : tree_.anyone_was_cut_short();
    if (!excused) tree_.record({tree_.now(), harness::Garbage{torn.text}});
  }
  const auto lost = [this](const std::string& why) {
    tree_.record({tree_.now(), harness::Lost{why}});
  };
  if (claims_.shrank()) lost("the claims file was cut");
  if (claims_.full()) {
    if (end_ != End::kLimit) stop_at_limit("claims");
    return;
  }
  for (const auto writer : claims_.writers_with_gaps()) {
    if (!tree_.was_cut_short(writer)) lost("claims of process " + std::to_string(writer));
  }
}

sys::Result<void> CaseRun::clean() {
  source_->let_go();
  if (auto asked = sandbox_.ask_to_clean(); !asked) return asked;
  const auto limit = sys::monotonic_now() + kCleanUpLimit;
  while (!init_spoke_) {
    if (sys::monotonic_now() > limit) return sys::Error("clean-up of the sandbox took too long");
    wait(source_->has_more() ? 0ns : kTick);
    source_->pump();
    drain_outputs();
  }
  const auto remains = sandbox_.cleaned();
  if (!remains) return remains.error();
  const auto left = [this](const char* where, std::int64_t count) {
    if (count > 0) tree_.record({tree_.now(), harness::LeftOver{where, count}});
  };
  left("/tmp", remains->tmp_inodes);
  left("/dev/shm", remains->shm_inodes);
  left("System V IPC", remains->ipc_objects);
  left("POSIX message queues", remains->message_queues);
  if (remains->processes)
    tree_.record({tree_.now(), harness::Lost{"a process could not be killed"}});
  dirty_ |= !remains->clean();
  return {};
}

harness::Trace CaseRun::take_trace() {
  harness::Trace trace;
  trace.rung = static_cast<int>(sandbox_.rung());
  trace.exact = source_->exact();
  trace.end = end_;
  trace.out = outputs_[0].take();
  trace.err = outputs_[1].take();
  trace.events = tree_.take_events();
  return trace;
}

/// Nobody traces what is held, so that a debugger can; it ends with the sandbox.
void CaseRun::hold(const Held& held) {
  source_->detach();
  held(take_trace());
  pollfd next{runner_, POLLIN, 0};
  while (::poll(&next, 1, -1) < 0 && errno == EINTR) {
  }
  if ((next.revents & POLLIN) == 0) ::_exit(0);
}

sys::Result<Recorded> CaseRun::run(const Held& held) {
  if (auto started = start(); !started) return started.error();
  auto observed = observe();
  // What is pending belongs to the record; what the clean-up causes does not.
  read_claims();
  record_survivors();
  find_foreign();
  tree_.stop_recording();
  const bool holds = request_.hold && observed && !tree_.empty();
  if (holds) hold(held);
  const auto cleaned = clean();
  if (!observed) return observed.error();
  if (!cleaned) return cleaned.error();
  read_claims();
  record_holes();
  if (holds) return Recorded{.trace = {}, .dirty = true, .answered = true};
  const bool cut = end_ == End::kFuse || end_ == End::kTimeOver || end_ == End::kLimit;
  return Recorded{take_trace(), dirty_ || cut};
}

}  // namespace

sys::Result<Recorded> run_case(Sandbox& sandbox, const Request& request, int runner,
                               const Held& held) {
  return CaseRun(sandbox, request, runner).run(held);
}

}  // namespace poolproof::warden
