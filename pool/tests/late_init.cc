#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <poolproof/pool.hpp>

// A main whose copies do not come to `init`: they leave before (exit), make a pool of their own
// (pool), or wait for ever (endless), or those alone do that are workers (worker). Its output is
// what the test looks at.
int main(int argc, char** argv) {
  const bool is_copy = argc > 1 && std::strncmp(argv[1], "--", 2) == 0;
  const char* const way = std::getenv("WAY");
  if (is_copy) {
    if (std::strcmp(way, "exit") == 0) return 5;
    while (std::strcmp(way, "endless") == 0) ::pause();
    while (std::strcmp(way, "worker") == 0 && std::strstr(argv[1], "worker:")) ::pause();
  }
  if (!is_copy || std::strcmp(way, "worker") == 0) poolproof::init(argc, argv);
  const bool spawns = std::strcmp(way, "worker") == 0;
  try {
    poolproof::Pool pool{{.workers = 1,
                          .start_method = spawns ? poolproof::StartMethod::spawn
                                                 : poolproof::StartMethod::forkserver}};
    std::puts("started");
    pool.apply([] {});
  } catch (const poolproof::PoolBroken& error) {
    std::puts(error.what());
  } catch (const poolproof::InitMissing& error) {
    std::puts(error.what());
    return is_copy ? 6 : 0;
  }
}
