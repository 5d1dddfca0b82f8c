#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <poolproof/pool.hpp>

// A main that hands `init` other arguments than its own: what is left when a first one was taken
// out (shifted), the program's name alone (first), or nothing (none). Its output is what the test
// looks at: main runs once.
int main(int argc, char** argv) {
  const char* const way = std::getenv("WAY");
  if (std::strcmp(way, "shifted") == 0) poolproof::init(argc - 1, argv + 1);
  if (std::strcmp(way, "first") == 0) poolproof::init(1, argv);
  if (std::strcmp(way, "none") == 0) poolproof::init(0, nullptr);
  std::printf("main with %d arguments\n", argc - 1);
  std::fflush(stdout);
  for (const auto method : {poolproof::StartMethod::forkserver, poolproof::StartMethod::spawn}) {
    poolproof::Pool pool{{.workers = 1, .start_method = method}};
    std::printf("the answer is %d\n", pool.apply<[](int n) { return 2 * n; }>(21));
  }
}
