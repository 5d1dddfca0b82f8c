#include <cstdio>
#include <poolproof/init.hpp>
#include <poolproof/pool.hpp>

struct Job {
  std::string path;
  int width;
};

int area(const Job& job) {
  return job.width * job.width;
}

int main(int argc, char** argv) {
  poolproof::init(argc, argv);
  poolproof::Pool pool{{.workers = 2}};
  const auto areas = pool.map<area>(std::vector<Job>{{"a", 2}, {"b", 3}});
  std::printf("%d %d\n", areas[0], areas[1]);
}
