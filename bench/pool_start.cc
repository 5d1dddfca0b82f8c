// What a pool costs from nothing to nothing: 4 workers, the first result, the end. Beside it, in
// the same run, the bare floors of the same: a child that forks four times and waits, and this very
// program started by posix_spawn, which does. In a small process, and beside 1 GiB that main has
// written to. The fastest round tells what a busy machine hides.
//
//     poolproof_bench_start [ROUNDS]      exit status 1 if a limit is exceeded
//     poolproof_bench_start ROUNDS WHERE  small or big: medians only, "NAME MILLISECONDS" (pool.py)
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <poolproof/pool.hpp>
#include <string>
#include <vector>

namespace {

using poolproof::StartMethod;

constexpr int kWorkers = 4;
constexpr const char* kFloorArgument = "--floor";
constexpr double kForkLimitMs = 1.5;      // in a small process
constexpr double kForkserverLimit = 1.5;  // times the floor
constexpr std::size_t kBallast = std::size_t{1} << 30;

int one() {
  return 1;
}

[[noreturn]] void be_floor() {
  for (int i = 0; i < kWorkers; ++i) {
    if (::fork() == 0) ::_exit(0);
  }
  while (::wait(nullptr) > 0) {
  }
  ::_exit(0);
}

void run_fork_floor() {
  const pid_t pid = ::fork();
  if (pid == 0) be_floor();
  ::waitpid(pid, nullptr, 0);
}

void run_floor() {
  char name[] = "floor";
  char argument[16];
  std::strcpy(argument, kFloorArgument);
  char* const argv[] = {name, argument, nullptr};
  pid_t pid = 0;
  if (::posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, argv, environ) != 0) std::exit(3);
  ::waitpid(pid, nullptr, 0);
}

template <StartMethod Method>
void run_pool() {
  poolproof::Pool pool{{.workers = kWorkers, .start_method = Method}};
  if (pool.apply<&one>() != 1) std::exit(3);
}

struct Subject {
  const char* name;
  void (*run)();
  std::vector<double> ms = {};

  [[nodiscard]] double at(double part) const {
    return ms[static_cast<std::size_t>(part * static_cast<double>(ms.size() - 1))];
  }
};

/// In turn, so that what else runs on the machine falls on all alike.
void measure(std::vector<Subject>& subjects, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (Subject& subject : subjects) {
      const auto start = std::chrono::steady_clock::now();
      subject.run();
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - start;
      subject.ms.push_back(took.count());
    }
  }
  for (Subject& subject : subjects) std::sort(subject.ms.begin(), subject.ms.end());
}

double report(const char* where, const std::vector<Subject>& subjects) {
  const double floor = subjects.front().at(0.5);
  for (const Subject& subject : subjects) {
    std::printf("%-20s %-10s %7.2f ms (%.2f)  %5.2f x floor\n", where, subject.name,
                subject.at(0.5), subject.at(0), subject.at(0.5) / floor);
  }
  return floor;
}

const std::vector<Subject> kAll{{"floor", &run_floor},
                                {"fork floor", &run_fork_floor},
                                {"forkserver", &run_pool<StartMethod::forkserver>},
                                {"spawn", &run_pool<StartMethod::spawn>},
                                {"fork", &run_pool<StartMethod::fork>}};

std::vector<Subject> measure_small(int rounds) {
  std::vector<Subject> subjects = kAll;
  measure(subjects, rounds);
  return subjects;
}

std::vector<Subject> measure_big(int rounds) {
  std::vector<char> ballast(kBallast);
  std::memset(ballast.data(), 1, ballast.size());
  std::vector<Subject> subjects{kAll[0], kAll[2], kAll[3]};
  measure(subjects, rounds);
  std::vector<Subject> forked{kAll[1], kAll.back()};
  measure(forked, std::max(rounds / 10, 1));  // each takes long
  subjects.insert(subjects.end(), forked.begin(), forked.end());
  return subjects;
}

int print_medians(const std::vector<Subject>& subjects) {
  for (const Subject& subject : subjects) {
    std::string name = subject.name;
    std::replace(name.begin(), name.end(), ' ', '-');
    std::printf("%s %.4f\n", name.c_str(), subject.at(0.5));
  }
  return 0;
}

int judge(int rounds) {
  std::printf("create %d workers, first result, stop; median (fastest) of %d rounds\n", kWorkers,
              rounds);
  const std::vector<Subject> small = measure_small(rounds);
  double floor = report("small process", small);
  bool within =
      small.back().at(0.5) <= kForkLimitMs && small[2].at(0.5) <= kForkserverLimit * floor;
  const std::vector<Subject> big = measure_big(rounds);
  floor = report("beside 1 GiB written", big);
  within = within && big[1].at(0.5) <= kForkserverLimit * floor;
  std::printf("limits (fork %.1f ms small, forkserver %.1f x floor): %s\n", kForkLimitMs,
              kForkserverLimit, within ? "kept" : "exceeded");
  return within ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], kFloorArgument) == 0) be_floor();
  poolproof::init(argc, argv);
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 100;
  if (argc < 3) return judge(rounds);
  return print_medians(std::strcmp(argv[2], "big") == 0 ? measure_big(rounds)
                                                        : measure_small(rounds));
}
