#include <ostream>
#include <poolproof/child_info.hpp>
#include <poolproof/containment.hpp>

namespace poolproof {
namespace {

/// As multiprocessing's contexts name their processes.
const char* class_name(StartMethod method) {
  switch (method) {
    case StartMethod::fork:
      return "ForkProcess";
    case StartMethod::forkserver:
      return "ForkServerProcess";
    case StartMethod::spawn:
      return "SpawnProcess";
  }
  return "Process";
}

}  // namespace

const char* to_string(StartMethod method) {
  switch (method) {
    case StartMethod::fork:
      return "fork";
    case StartMethod::forkserver:
      return "forkserver";
    case StartMethod::spawn:
      return "spawn";
  }
  return "?";
}

const char* to_string(Containment containment) {
  return containment == Containment::pid_namespace ? "pid_namespace" : "supervisor";
}

std::ostream& operator<<(std::ostream& out, const ChildInfo& child) {
  return out << '<' << class_name(child.start_method) << " name='" << child.name
             << "' pid=" << child.pid << " parent=" << child.parent
             << (child.alive ? " started" : " stopped") << (child.daemon ? " daemon>" : ">");
}

}  // namespace poolproof
