#include "harness/warden/ladder.h"

#include <unistd.h>

#include "harness/warden/case_run.h"
#include "harness/warden/sandbox.h"

namespace poolproof::warden {
namespace {

std::string rung_name(Rung rung) {
  switch (rung) {
    case Rung::kNamespaces:
      return ::geteuid() == 0 ? "exact (ptrace), PID+mount+IPC namespaces"
                              : "exact (ptrace), user+PID+mount+IPC namespaces";
    case Rung::kSubreaper:
      return "exact (ptrace), subreaper without namespaces";
    case Rung::kNoTrace:
      return "sampled (/proc), subreaper without ptrace";
  }
  return "";
}

/// The whole way of a case, with a program that does nothing: what works here works later.
sys::Result<void> try_rung(Rung rung) {
  Request request;
  request.command = {"/bin/true"};
  request.scenario = "{}";
  auto sandbox = Sandbox::build(rung, request.settings, request.command);
  if (!sandbox) return sandbox.error();
  const auto recorded = run_case(**sandbox, request, -1, {});
  if (!recorded) return recorded.error();
  if (recorded->trace.end != harness::End::kAllDead)
    return sys::Error("/bin/true did not come to its end");
  return {};
}

}  // namespace

sys::Result<Hello> climb(int wanted) {
  std::string why_not;
  for (const Rung rung : {Rung::kNamespaces, Rung::kSubreaper, Rung::kNoTrace}) {
    const int number = static_cast<int>(rung);
    if (wanted != 0 && wanted != number) continue;
    const auto tried = try_rung(rung);
    if (tried) return Hello{number, rung_name(rung), why_not};
    if (!why_not.empty()) why_not += "; ";
    why_not += "rung " + std::to_string(number) + ": " + tried.error().message();
  }
  return sys::Error("no way to contain a subject: " + why_not);
}

}  // namespace poolproof::warden
