#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "harness/sys/fd.h"
#include "harness/warden/case_run.h"
#include "harness/warden/ladder.h"
#include "harness/warden/messages.h"
#include "harness/warden/sandbox.h"

namespace {

using namespace poolproof;

/// The life of a warden: says on which rung it stands, then answers requests until its stdin ends.
/// Started by the runner only; one thread, one sandbox, one case at a time.
class Warden {
 public:
  explicit Warden(warden::Rung rung) : rung_(rung) {}

  /// nullopt: the answer has been written already.
  std::optional<sys::Result<harness::Trace>> answer(const std::string& line);

 private:
  sys::Result<void> make_sandbox(const warden::Request& request);

  warden::Rung rung_;
  std::unique_ptr<warden::Sandbox> sandbox_;
};

sys::Result<void> Warden::make_sandbox(const warden::Request& request) {
  const bool usable =
      sandbox_ && !request.fresh && sandbox_->fits(request.settings, request.command);
  if (usable) return {};
  sandbox_.reset();
  auto built = warden::Sandbox::build(rung_, request.settings, request.command);
  if (!built) return built.error();
  sandbox_ = std::move(*built);
  return {};
}

using Answer = sys::Result<harness::Trace>;

bool write_answer(const Answer& answer) {
  return static_cast<bool>(sys::write_all(STDOUT_FILENO, warden::to_frame(answer)));
}

std::optional<Answer> Warden::answer(const std::string& line) {
  const auto request = warden::request_from_line(line);
  if (!request) return request.error();
  if (auto made = make_sandbox(*request); !made) return made.error();
  auto recorded = warden::run_case(*sandbox_, *request, STDIN_FILENO,
                                   [](const auto& trace) { write_answer(trace); });
  if (!recorded || recorded->dirty) sandbox_.reset();
  if (!recorded) return recorded.error();
  if (recorded->answered) return std::nullopt;
  return std::move(recorded->trace);
}

/// Ctrl-C at the terminal is the runner's to handle; it ends us by closing our stdin or dying.
void ignore_terminal() {
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  ::setsid();
}

}  // namespace

int main(int argc, char** argv) {
  int wanted = 0;
  if (argc == 3 && std::strcmp(argv[1], "--rung") == 0) wanted = std::atoi(argv[2]);
  if ((argc != 1 && argc != 3) || wanted < 0 || wanted > 3) {
    std::fputs("poolproof-warden is started by poolproof, not by hand\n", stderr);
    return 2;
  }
  ::prctl(PR_SET_NAME, "poolproof-warden");
  ignore_terminal();
  const auto standing = warden::climb(wanted);
  if (!standing) {
    std::fprintf(stderr, "poolproof-warden: %s\n", standing.error().message().c_str());
    return 3;
  }
  if (!sys::write_all(STDOUT_FILENO, warden::to_line(*standing))) return 0;
  Warden self(static_cast<warden::Rung>(standing->rung));
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;  // the case that it was to end is over
    const auto answer = self.answer(line);
    if (answer && !write_answer(*answer)) return 0;
  }
  return 0;
}
