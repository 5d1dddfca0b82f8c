#include <fmt/format.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "properties/rules/main_after.h"
#include "properties/rules/rules.h"
#include "properties/rules/verdicts.h"

// I2: what a pool changes of main's own and does not put back.
namespace poolproof::properties {
namespace {

using harness::MainState;

/// What one look says of main, under the name that a person gives it.
struct Property {
  std::string_view name;
  std::string MainState::*value;
};
constexpr std::array kProperties{
    Property{"umask", &MainState::umask},         Property{"working folder", &MainState::folder},
    Property{"root folder", &MainState::root},    Property{"nice value", &MainState::nice},
    Property{"process group", &MainState::group}, Property{"session", &MainState::session},
};

constexpr std::array kSignals{
    Property{"blocks", &MainState::blocked},
    Property{"ignores", &MainState::ignored},
    Property{"catches", &MainState::caught},
};

/// The C library's own (signal(7)): it takes the first of them into use with the first thread.
constexpr int kFirstOfTheLibrary = 32;
constexpr int kLastOfTheLibrary = 34;
constexpr int kMostSignal = 64;

std::uint64_t signals_of(const std::string& hex) {
  std::uint64_t mask = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), mask, 16);
  return mask;
}

/// "SIGTERM", "signal 40".
std::string name_of(int signal) {
  const char* short_name = ::sigabbrev_np(signal);
  return short_name != nullptr ? fmt::format("SIG{}", short_name)
                               : fmt::format("signal {}", signal);
}

/// Whether main has SIGTERM blocked, ignored or caught, where its own steps decide it.
std::optional<bool> set_by_main(const MainAfter& main, std::string MainState::*value) {
  using Disposition = MainsSigterm::Disposition;
  const auto& [disposition, is_blocked] = main.sigterm;
  if (value == &MainState::blocked) return is_blocked ? std::optional(true) : std::nullopt;
  if (disposition == Disposition::kAsBefore) return std::nullopt;
  return disposition ==
         (value == &MainState::caught ? Disposition::kCaught : Disposition::kIgnored);
}

/// "catches SIGCHLD", "blocks SIGTERM no more"; empty where nothing changed.
std::string changed_signals(const MainAfter& main) {
  const auto& [before, after] = std::tie(main.before, main.after);
  std::vector<std::string> changes;
  for (const auto& [verb, value] : kSignals) {
    const auto was = signals_of(before.*value);
    const auto is = signals_of(after.*value);
    for (int signal = 1; signal <= kMostSignal; ++signal) {
      const auto bit = std::uint64_t{1} << (signal - 1);
      const auto by_main = signal == SIGTERM ? set_by_main(main, value) : std::nullopt;
      const bool own = signal >= kFirstOfTheLibrary && signal <= kLastOfTheLibrary;
      const bool should = by_main.value_or((was & bit) != 0);
      if (own || should == ((is & bit) != 0)) continue;
      changes.push_back(
          fmt::format("{} {}{}", verb, name_of(signal), (is & bit) == 0 ? " no more" : ""));
    }
  }
  return fmt::format("{}", fmt::join(changes, ", "));
}

/// The limits in which the two differ: "Max open files 1024 4096 files".
std::string changed_limits(const std::string& before, const std::string& after) {
  constexpr std::string_view kBetween = "; ";
  std::vector<std::string> changes;
  std::string_view rest = after;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(kBetween), rest.size());
    const auto limit = rest.substr(0, end);
    const auto found = before.find(limit);
    const auto behind = found == before.npos ? before.size() : found + limit.size();
    const bool same =
        found != before.npos && (behind == before.size() || before[behind] == kBetween[0]);
    if (!same) changes.emplace_back(limit);
    rest.remove_prefix(std::min(end + kBetween.size(), rest.size()));
  }
  return fmt::format("{}", fmt::join(changes, ", "));
}

const std::string* file_at(const MainState& state, int fd) {
  for (const auto& descriptor : state.descriptors) {
    if (descriptor.fd == fd) return &descriptor.of;
  }
  return nullptr;
}

/// "descriptor 0 is closed", "descriptor 1 is /dev/null, not pipe:[7]".
std::string changed_stream(const MainState& before, const MainState& after, int fd) {
  const auto* was = file_at(before, fd);
  const auto* is = file_at(after, fd);
  if (was == nullptr && is == nullptr) return "";
  if (is == nullptr) return fmt::format("descriptor {} is closed", fd);
  if (was == nullptr) return fmt::format("descriptor {} is {}, and was closed", fd, *is);
  return *was == *is ? "" : fmt::format("descriptor {} is {}, not {}", fd, *is, *was);
}

std::vector<std::string> changes(const MainAfter& main) {
  const auto& [before, after] = std::tie(main.before, main.after);
  std::vector<std::string> found;
  const auto add = [&](std::string change) {
    if (!change.empty()) found.push_back(std::move(change));
  };
  if (auto signals = changed_signals(main); !signals.empty()) add("it " + signals);
  for (const auto& [name, value] : kProperties) {
    if (before.*value == after.*value) continue;
    add(fmt::format("its {} is {}, not {}", name, after.*value, before.*value));
  }
  auto limits = changed_limits(before.limits, after.limits);
  if (!limits.empty()) add("its limits are others: " + limits);
  constexpr int kStreams = 3;
  for (int fd = 0; fd < kStreams; ++fd) add(changed_stream(before, after, fd));
  return found;
}

}  // namespace

Verdict main_is_left_as_it_was(const Evidence& evidence) {
  const Reading reading(evidence);
  const auto main = main_after_pool(reading);
  if (!main) return NotExercised{};
  const auto found = changes(*main);
  if (found.empty()) return Held{};
  if (!main->final) return NotExercised{};
  return Violated{fmt::format("at its end, after {}, main is not as it was before the pool: {}",
                              reading.name(main->ended_by), fmt::join(found, "; ")),
                  {main->looked_before.event, main->looked_after.event},
                  ""};
}

}  // namespace poolproof::properties
