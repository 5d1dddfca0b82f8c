#include <cstring>
#include <poolproof/exit_status.hpp>

namespace poolproof {

std::string to_string(const ExitStatus& status) {
  if (const auto* exited = std::get_if<Exited>(&status)) {
    return "exit status " + std::to_string(exited->code);
  }
  const Killed& killed = std::get<Killed>(status);
  const char* name = ::sigdescr_np(killed.signal);
  return "signal " + std::to_string(killed.signal) +
         (name ? " (" + std::string(name) + ")" : std::string());
}

}  // namespace poolproof
