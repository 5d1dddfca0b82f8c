#include "harness/runner.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <filesystem>

#include "harness/launch.h"
#include "harness/sys/fd.h"
#include "harness/sys/proc.h"
#include "harness/warden/messages.h"

namespace poolproof::harness {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// How long beyond its fuse a warden may take for a case (clean-up, a new sandbox) before it is
/// stuck.
constexpr auto kBeyondFuse = 30s;
/// For all that a dead warden contained to be gone, in ms: the kernel does it, and it takes a few.
constexpr int kPatienceForInit = 5000;

/// The fuse follows the machine: POOLPROOF_TIME_SCALE=4 for a slow one.
std::chrono::milliseconds scaled(std::chrono::milliseconds fuse) {
  const char* text = std::getenv("POOLPROOF_TIME_SCALE");
  const double scale = text != nullptr ? std::strtod(text, nullptr) : 1;
  return std::chrono::duration_cast<std::chrono::milliseconds>(fuse * (scale > 0 ? scale : 1));
}

/// A write to a pipe whose reader has died is an error like others, whatever SIGPIPE would do here.
sys::Result<void> write_to_pipe(int pipe, std::string_view bytes) {
  sigset_t broken;
  sigset_t before;
  sigset_t waiting;
  ::sigemptyset(&broken);
  ::sigaddset(&broken, SIGPIPE);
  ::sigpending(&waiting);
  ::pthread_sigmask(SIG_BLOCK, &broken, &before);
  const auto written = sys::write_all(pipe, bytes);
  constexpr timespec kNow{};
  if (!written && ::sigismember(&waiting, SIGPIPE) == 0) ::sigtimedwait(&broken, nullptr, &kNow);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return written;
}

/// One warden and the run that it is busy with.
class Worker {
 public:
  static sys::Result<Worker> start(const std::vector<std::string>& command);
  Worker(Worker&&) = default;
  Worker& operator=(Worker&&) = default;
  ~Worker() { end(); }

  const warden::Hello& hello() const { return hello_; }
  int descriptor() const { return child_.from.get(); }
  bool alive() const { return static_cast<bool>(child_.from); }
  bool busy() const { return busy_; }
  bool stuck(Clock::time_point now) const { return busy_ && now > patience_; }
  std::uint64_t job() const { return job_; }

  sys::Result<void> hand(const Job& job, const std::string& line);
  /// A warden that is gone by now is found out when its answer is read.
  void ask_to_end() { (void)write_to_pipe(child_.to.get(), "\n"); }
  /// Reads what there is; a value when an answer is whole. Errors: the warden is gone.
  sys::Result<std::optional<sys::Result<Trace>>> take();
  void end();

 private:
  Worker() = default;
  std::optional<sys::Result<Trace>> whole_answer();

  Child child_;
  warden::Hello hello_;
  std::string received_;
  bool busy_ = false;
  std::uint64_t job_ = 0;
  Clock::time_point patience_;
};

sys::Result<Worker> Worker::start(const std::vector<std::string>& command) {
  auto child = launch(command);
  if (!child) return child.error();
  Worker worker;
  worker.child_ = std::move(*child);
  std::string line;
  char letter = 0;
  while (sys::retry_eintr([&] { return ::read(worker.descriptor(), &letter, 1); }) == 1 &&
         letter != '\n') {
    line += letter;
  }
  // What failed stands on stderr, which the warden shares with us.
  if (line.empty()) return sys::Error(command.front() + " gave up");
  auto hello = warden::hello_from_line(line);
  if (!hello) return hello.error();
  worker.hello_ = std::move(*hello);
  return worker;
}

sys::Result<void> Worker::hand(const Job& job, const std::string& line) {
  if (auto written = write_to_pipe(child_.to.get(), line); !written) return written;
  busy_ = true;
  job_ = job.id;
  patience_ = Clock::now() + scaled(job.settings.fuse) + kBeyondFuse;
  return {};
}

/// "trace BYTES\n" or "error BYTES\n", then the body (warden/messages.h).
std::optional<sys::Result<Trace>> Worker::whole_answer() {
  const auto head = received_.find('\n');
  if (head == std::string::npos) return std::nullopt;
  const auto blank = received_.find(' ');
  std::size_t size = 0;
  std::from_chars(received_.data() + blank + 1, received_.data() + head, size);
  if (received_.size() - head - 1 < size) return std::nullopt;
  const auto body = std::string_view(received_).substr(head + 1, size);
  busy_ = false;
  const bool is_trace = received_.rfind("trace", 0) == 0;
  auto answer =
      is_trace ? trace_from_json_lines(body) : sys::Result<Trace>(sys::Error(std::string(body)));
  received_.clear();
  return answer;
}

sys::Result<std::optional<sys::Result<Trace>>> Worker::take() {
  std::array<char, 65536> chunk;
  const ssize_t got =
      sys::retry_eintr([&] { return ::read(descriptor(), chunk.data(), chunk.size()); });
  if (got < 0) return sys::Error::from_errno("read from the warden");
  if (got == 0) return sys::Error("the warden died");
  received_.append(chunk.data(), static_cast<std::size_t>(got));
  return whole_answer();
}

/// SIGKILL: a warden that is stuck must go too. What it contains goes with it, and is waited for:
/// the warden's child, its sandbox's init, is the last one inside to end.
void Worker::end() {
  if (child_.pid == 0 || !child_.from) return;
  std::vector<sys::Fd> inits;
  for (const int pid : sys::children_of(child_.pid)) inits.push_back(sys::open_pidfd(pid));
  ::kill(child_.pid, SIGKILL);
  sys::retry_eintr([&] { return ::waitpid(child_.pid, nullptr, 0); });
  for (const auto& init : inits) {
    pollfd ended{init.get(), POLLIN, 0};
    sys::retry_eintr([&] { return ::poll(&ended, 1, kPatienceForInit); });
  }
  child_ = {};
  busy_ = false;
  received_.clear();
}

/// Steps after which rules look at the process table.
std::vector<int> steps_looked_at(const Scenario& scenario) {
  std::vector<int> steps;
  for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
    if (entry(scenario.steps[i].kind).is_looked_at) steps.push_back(static_cast<int>(i) + 1);
  }
  return steps;
}

std::string request_line(const Job& job) {
  warden::Request request;
  request.command = job.command;
  request.scenario = to_json(job.scenario);
  request.fault = job.scenario.fault;
  request.processors = job.scenario.processors.value_or(0);
  request.inherits = job.scenario.inherits;
  request.settings = job.settings;
  request.settings.fuse = scaled(job.settings.fuse);
  request.prompt_steps = job.prompt_steps;
  request.waiting_steps = job.waiting_steps;
  request.hold = job.hold;
  request.snapshot_steps = steps_looked_at(job.scenario);
  return to_line(request);
}

class WardenRunner final : public Runner {
 public:
  WardenRunner(std::vector<std::string> command, std::vector<Worker> workers)
      : command_(std::move(command)), workers_(std::move(workers)) {
    const auto& hello = workers_.front().hello();
    containment_ = {hello.rung, hello.name, hello.why_not};
  }

  const Containment& containment() const override { return containment_; }
  int jobs() const override { return static_cast<int>(workers_.size()); }
  void submit(Job job) override;
  int pending() const override;
  std::vector<std::uint64_t> under_way() const override;
  std::optional<Finished> next(Clock::time_point deadline) override;
  void end_under_way() override;
  void cancel_all() override;

 private:
  void hand_out();
  sys::Result<void> hand(Worker& worker, const Job& job);
  void look(Clock::time_point deadline);
  void take_from(Worker& worker);
  void replace(Worker& worker, const sys::Error& why);

  std::vector<std::string> command_;
  std::vector<Worker> workers_;
  Containment containment_;
  std::deque<Job> queued_;
  std::deque<Finished> finished_;
};

void WardenRunner::submit(Job job) {
  queued_.push_back(std::move(job));
  hand_out();
}

int WardenRunner::pending() const {
  const auto busy =
      std::count_if(workers_.begin(), workers_.end(), [](const auto& w) { return w.busy(); });
  return static_cast<int>(queued_.size() + finished_.size()) + static_cast<int>(busy);
}

std::vector<std::uint64_t> WardenRunner::under_way() const {
  std::vector<std::uint64_t> ids;
  for (const auto& worker : workers_) {
    if (worker.busy()) ids.push_back(worker.job());
  }
  return ids;
}

void WardenRunner::hand_out() {
  for (auto& worker : workers_) {
    while (!worker.busy() && !queued_.empty()) {
      const Job job = std::move(queued_.front());
      queued_.pop_front();
      if (auto handed = hand(worker, job); !handed) {
        finished_.push_back({job.id, handed.error()});
      }
    }
  }
}

/// A warden that died while it had nothing to do costs no run.
sys::Result<void> WardenRunner::hand(Worker& worker, const Job& job) {
  const auto line = request_line(job);
  if (worker.alive() && worker.hand(job, line)) return {};
  worker.end();
  auto fresh = Worker::start(command_);
  if (!fresh) return fresh.error();
  worker = std::move(*fresh);
  return worker.hand(job, line);
}

/// The run that broke its warden is answered with the error, never run again by itself.
void WardenRunner::replace(Worker& worker, const sys::Error& why) {
  finished_.push_back({worker.job(), why});
  worker.end();
  if (auto fresh = Worker::start(command_)) worker = std::move(*fresh);
}

void WardenRunner::take_from(Worker& worker) {
  auto taken = worker.take();
  if (!taken) return replace(worker, taken.error());
  if (taken->has_value()) finished_.push_back({worker.job(), std::move(**taken)});
}

void WardenRunner::look(Clock::time_point deadline) {
  std::vector<pollfd> wanted;
  for (const auto& worker : workers_)
    wanted.push_back({worker.busy() ? worker.descriptor() : -1, POLLIN, 0});
  const auto left = std::clamp<Clock::duration>(deadline - Clock::now(), 0s, 1s);
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  // EINTR comes back to the caller's loop, which knows about Ctrl-C.
  if (::poll(wanted.data(), wanted.size(), static_cast<int>(milliseconds)) < 0) return;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (wanted[i].revents != 0) {
      take_from(workers_[i]);
    } else if (workers_[i].stuck(Clock::now())) {
      replace(workers_[i], sys::Error("the warden was stuck and was killed"));
    }
  }
}

std::optional<Finished> WardenRunner::next(Clock::time_point deadline) {
  do {
    if (!finished_.empty()) {
      Finished first = std::move(finished_.front());
      finished_.pop_front();
      return first;
    }
    if (pending() == 0) return std::nullopt;
    look(deadline);
    hand_out();
  } while (Clock::now() < deadline || !finished_.empty());
  return std::nullopt;
}

void WardenRunner::end_under_way() {
  for (auto& worker : workers_) {
    if (worker.busy()) worker.ask_to_end();
  }
}

void WardenRunner::cancel_all() {
  queued_.clear();
  for (auto& worker : workers_) {
    if (worker.busy()) replace(worker, sys::Error("cancelled"));
  }
  finished_.clear();
}

/// Both programs lie in one folder.
std::string default_warden() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "poolproof-warden").string();
}

}  // namespace

sys::Result<std::unique_ptr<Runner>> Runner::start(const RunnerOptions& options) {
  std::vector<std::string> command{options.warden.empty() ? default_warden() : options.warden};
  if (options.rung != 0) command.insert(command.end(), {"--rung", std::to_string(options.rung)});
  std::vector<Worker> workers;
  for (int i = 0; i < std::max(options.jobs, 1); ++i) {
    auto worker = Worker::start(command);
    if (!worker) return worker.error();
    workers.push_back(std::move(*worker));
  }
  return std::unique_ptr<Runner>(new WardenRunner(std::move(command), std::move(workers)));
}

}  // namespace poolproof::harness
