#include <poolproof/pool.hpp>

void increment(int& number) {
  ++number;
}

int main() {
  poolproof::Pool pool;
#ifdef Captures
  const int offset = 1;
  return pool.apply([offset](int x) { return x + offset; }, 3);
#endif
#ifdef OutParameters
  pool.apply<&increment>(3);
#endif
}
