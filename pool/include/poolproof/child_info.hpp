#pragma once

#include <sys/types.h>

#include <iosfwd>
#include <poolproof/start_method.hpp>
#include <string>

namespace poolproof {

/// A worker as `Pool::active_children` lists it.
struct ChildInfo {
  std::string name;    ///< "ForkPoolWorker-1"; numbers are never used again
  pid_t pid = 0;       ///< as main sees it
  pid_t parent = 0;    ///< the process that owns the pool, as in Python; what
                       ///< getppid() says in a worker is the supervisor
  bool daemon = true;  ///< never keeps main from exiting
  bool alive = true;
  StartMethod start_method = StartMethod::fork;
};

/// `<ForkServerProcess name='ForkServerPoolWorker-1' pid=7 parent=3 started daemon>`
std::ostream& operator<<(std::ostream& out, const ChildInfo& child);

}  // namespace poolproof
