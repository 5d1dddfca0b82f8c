#include <ostream>
#include <poolproof/child_info.hpp>

namespace poolproof {

std::ostream& operator<<(std::ostream& out, const ChildInfo& child) {
  return out << "<ForkProcess name='" << child.name << "' pid=" << child.pid
             << " parent=" << child.parent << (child.alive ? " started" : " stopped")
             << (child.daemon ? " daemon>" : ">");
}

}  // namespace poolproof
