// The floor under one case on the reference pool: the same tree of fork, exit and wait, and nothing
// else. Main makes a supervisor, the supervisor N workers; each ends at once and is waited for.
// With "-" as second argument it refers to the adapter's code without running it, so that the
// linker keeps what the adapter has and the exec costs the same.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <poolproof/pool.hpp>

namespace {

void wait_for_all() {
  while (::wait(nullptr) > 0) {
  }
}

[[noreturn]] void supervise(int workers) {
  for (int i = 0; i < workers; ++i) {
    if (::fork() == 0) ::_exit(0);
  }
  wait_for_all();
  ::_exit(0);
}

int one() {
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const int workers = argc > 1 ? std::atoi(argv[1]) : 2;
  if (argc > 2) {
    poolproof::Pool pool{{.workers = workers}};
    return pool.apply<&one>();
  }
  if (::fork() == 0) supervise(workers);
  wait_for_all();
  return 0;
}
