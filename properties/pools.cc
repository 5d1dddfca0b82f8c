#include "properties/pools.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>

#include "harness/sys/exit_status.h"
#include "harness/sys/fd.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

namespace fs = std::filesystem;

/// The adapters that we keep; their order is that of every report.
struct AdapterEntry {
  std::string_view implementation;
  std::string_view file;  // in share/adapters
  bool python;            // run by an interpreter
};
constexpr std::array kAdapters{
    AdapterEntry{"reference", "reference", false},
    AdapterEntry{"multiprocessing.Pool", "multiprocessing_pool.py", true},
    AdapterEntry{"ProcessPoolExecutor", "process_pool_executor.py", true},
};

constexpr std::string_view kMutant = "mutant";
constexpr std::chrono::seconds kDescribeTimeout{10};

std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < command.size();) {
    const auto end = std::min(command.find(' ', at), command.size());
    if (end > at) words.push_back(command.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

sys::Error failed(const std::string& what, const harness::CommandOutput& output) {
  const auto said = last_line(output.err);
  return sys::Error(fmt::format("{} {}{}{}", what, sys::to_string(output.status),
                                said.empty() ? "" : ": ", said));
}

bool is_prefix_of_version(std::string_view prefix, std::string_view version) {
  return version.starts_with(prefix) &&
         (version.size() == prefix.size() || version[prefix.size()] == '.');
}

}  // namespace

std::vector<std::string> command_of_adapter(const std::string& adapter) {
  std::error_code ignored;
  return fs::is_regular_file(adapter, ignored) ? std::vector{adapter} : words_of(adapter);
}

PoolName PoolName::parse(std::string_view text) {
  PoolName name;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    name.version = text.substr(at + 1);
    text = text.substr(0, at);
  }
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    name.variant = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  name.implementation = text;
  return name;
}

std::string PoolName::text() const {
  return implementation + (variant.empty() ? "" : ":" + variant) +
         (version.empty() ? "" : "@" + version);
}

bool PoolName::covers(const PoolName& full) const {
  return implementation == full.implementation && (variant.empty() || variant == full.variant) &&
         (version.empty() || is_prefix_of_version(version, full.version));
}

fs::path default_share() {
  if (const char* share = std::getenv("POOLPROOF_SHARE"); share != nullptr && *share != '\0') {
    return share;
  }
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path() /
         "share/poolproof";
}

sys::Result<Contract> contract_from_file(const std::string& path) {
  constexpr std::size_t kMostBytes = 1 << 20;
  const auto text = sys::read_regular_file(path, kMostBytes);
  if (!text) return text.error();
  return contract_from_toml(*text, path);
}

Pools PoolFinder::find(std::span<const std::string> names) const {
  Pools all;
  for (const auto& candidate : candidates(names)) examine(candidate, all);
  if (names.empty() || !places_.adapter.empty()) return all;

  Pools wanted;
  std::set<std::string> matched;
  const auto wants = [&](auto&& covers) {
    bool any = false;
    for (const auto& text : names) {
      if (!covers(PoolName::parse(text))) continue;
      matched.insert(text);
      any = true;
    }
    return any;
  };
  for (auto& pool : all.found) {
    if (wants([&](const PoolName& n) { return n.covers(pool.name); })) wanted.found.push_back(pool);
  }
  for (auto& absent : all.absent) {
    const auto name = PoolName::parse(absent.implementation);
    if (wants([&](const PoolName& n) {
          return n.implementation == name.implementation &&
                 (name.variant.empty() || n.variant == name.variant);
        })) {
      wanted.absent.push_back(absent);
    }
  }
  for (const auto& text : names) {
    if (!matched.contains(text)) wanted.unmatched.push_back(text);
  }
  return wanted;
}

std::vector<PoolFinder::Candidate> PoolFinder::candidates(
    std::span<const std::string> names) const {
  if (!places_.adapter.empty()) return {own()};
  std::vector<PoolName> wanted;
  for (const auto& text : names) wanted.push_back(PoolName::parse(text));

  std::vector<Candidate> result;
  for (const auto& entry : kAdapters) {
    if (entry.python) continue;
    const auto path = (places_.share / "adapters" / entry.file).string();
    result.push_back(
        {.implementation = std::string(entry.implementation),
         .command = {path},
         .adapter = path,
         .contract = (places_.share / "contracts" / entry.implementation).string() + ".toml",
         .why = {}});
  }
  for (auto& candidate : python_candidates(wanted)) result.push_back(std::move(candidate));
  for (const auto& name : wanted) {
    if (name.implementation == kMutant) result.push_back(mutant(name.variant));
  }
  // An adapter that nobody asked for is not even started.
  const auto is_wanted = [&](const Candidate& candidate) {
    return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const PoolName& name) {
             return name.implementation == PoolName::parse(candidate.implementation).implementation;
           });
  };
  std::erase_if(result, [&](const Candidate& candidate) { return !is_wanted(candidate); });
  return result;
}

std::vector<PoolFinder::Candidate> PoolFinder::python_candidates(
    const std::vector<PoolName>& wanted) const {
  std::vector<Candidate> result;
  std::set<std::vector<std::string>> seen;
  for (const auto& interpreter : interpreters(wanted)) {
    auto command = words_of(interpreter);
    const auto resolved = resolved_interpreter(command);
    if (resolved) command.front() = *resolved;
    if (!seen.insert(command).second) continue;
    for (const auto& entry : kAdapters) {
      if (!entry.python) continue;
      Candidate candidate;
      candidate.implementation = entry.implementation;
      candidate.adapter = (places_.share / "adapters" / entry.file).string();
      candidate.contract = (places_.share / "contracts" / entry.implementation).string() + ".toml";
      if (resolved) {
        candidate.command = command;
        candidate.command.push_back(candidate.adapter);
      } else {
        candidate.why = resolved.error().message();
      }
      result.push_back(std::move(candidate));
    }
  }
  return result;
}

std::vector<std::string> PoolFinder::interpreters(const std::vector<PoolName>& wanted) const {
  if (!places_.pythons.empty()) return places_.pythons;
  std::vector<std::string> result{"python3"};
  for (const auto& name : wanted) {
    // "multiprocessing.Pool@3.8.18" may be met by the command python3.8.
    const auto dot = name.version.find('.');
    const auto end = dot == std::string::npos ? dot : name.version.find('.', dot + 1);
    const bool python = std::any_of(kAdapters.begin(), kAdapters.end(), [&](const AdapterEntry& e) {
      return e.python && e.implementation == name.implementation;
    });
    if (python && dot != std::string::npos)
      result.push_back("python" + name.version.substr(0, end));
  }
  return result;
}

PoolFinder::Candidate PoolFinder::own() const {
  Candidate candidate;
  candidate.command = command_of_adapter(places_.adapter);
  candidate.adapter = candidate.command.empty() ? places_.adapter : candidate.command.front();
  candidate.contract = places_.contract;
  candidate.must_have_contract = !places_.contract.empty();
  if (candidate.command.empty()) candidate.why = "an adapter is a command, not an empty word";
  return candidate;
}

PoolFinder::Candidate PoolFinder::mutant(const std::string& name) const {
  const auto path = (places_.share / "adapters/mutants" / fs::path(name).filename()).string();
  Candidate candidate{.implementation = PoolName{std::string(kMutant), name, ""}.text(),
                      .command = {path},
                      .adapter = path,
                      .contract = (places_.share / "contracts/reference.toml").string(),
                      .why = {}};
  if (name.empty() || name.find('/') != std::string::npos) {
    candidate.command.clear();
    candidate.why = "a mutant is named mutant:NAME";
  }
  return candidate;
}

void PoolFinder::examine(const Candidate& candidate, Pools& pools) const {
  const auto absent = [&](const std::string& why) {
    const auto name =
        candidate.implementation.empty() ? candidate.adapter : candidate.implementation;
    pools.absent.push_back({name, candidate.adapter, why});
  };
  if (candidate.command.empty()) return absent(candidate.why);
  const auto abilities = describe(candidate, "");
  if (!abilities) return absent(abilities.error().message());
  if (!abilities->absent.empty()) return absent(abilities->absent);

  Contract contract;
  if (candidate.must_have_contract) {
    auto read = contract_from_file(candidate.contract);
    if (!read) return absent(read.error().message());
    if (read->pool != abilities->name) {
      return absent(fmt::format("{} is the contract of '{}', but the adapter's pool is '{}'",
                                candidate.contract, printable(read->pool),
                                printable(abilities->name)));
    }
    contract = std::move(*read);
  }
  if (abilities->start_methods.empty()) add_variant(candidate, *abilities, contract, "", pools);
  for (const auto& method : abilities->start_methods) {
    add_variant(candidate, *abilities, contract, method, pools);
  }
}

void PoolFinder::add_variant(const Candidate& candidate, const Abilities& general,
                             const Contract& contract, const std::string& start_method,
                             Pools& pools) const {
  Pool pool{.name = {general.name, start_method, general.version},
            .start_method = start_method,
            .abilities = general,
            .contract = contract,
            .command = candidate.command,
            .adapter = candidate.adapter};
  if (!start_method.empty()) {
    auto abilities = describe(candidate, start_method);
    if (!abilities) {
      pools.absent.push_back({pool.label(), candidate.adapter, abilities.error().message()});
      return;
    }
    pool.abilities = std::move(*abilities);
  }
  const auto expected = PoolName::parse(candidate.implementation);
  if (expected.implementation == kMutant) {
    pool.name.implementation = kMutant;
    pool.name.variant = expected.variant;
  }
  const auto twin = std::find_if(pools.found.begin(), pools.found.end(), [&](const Pool& other) {
    return other.name.text() == pool.name.text() && other.command == pool.command;
  });
  if (twin == pools.found.end()) pools.found.push_back(std::move(pool));
}

sys::Result<Abilities> PoolFinder::describe(const Candidate& candidate,
                                            const std::string& start_method) const {
  std::error_code ignored;
  if (candidate.adapter.find('/') != std::string::npos && !fs::exists(candidate.adapter, ignored)) {
    return sys::Error(candidate.adapter + " does not exist: build it, or name another adapter");
  }
  auto command = candidate.command;
  command.emplace_back("--describe");
  if (!start_method.empty()) command.push_back(start_method);
  auto advice = fmt::format("; try it by hand: {}", joined(command, " "));
  const auto output = run_(command, kDescribeTimeout);
  if (output && output->err.find("No module named 'poolproof_adapter'") != std::string::npos)
    advice = fmt::format("; it is in {}, for PYTHONPATH", (places_.share / "adapters").string());
  if (!output) return sys::Error(output.error().message() + advice);
  const auto what = fmt::format("{} --describe", candidate.adapter);
  if (output->status != sys::ExitStatus(sys::Exited{0})) {
    return sys::Error(failed(what, *output).message() + advice);
  }
  auto abilities = abilities_from_json(output->out);
  if (!abilities) {
    return sys::Error(
        fmt::format("{} {}{}", candidate.adapter, abilities.error().message(), advice));
  }
  return abilities;
}

sys::Result<std::string> PoolFinder::resolved_interpreter(
    const std::vector<std::string>& command) const {
  // PATH often leads to a wrapper (pyenv's shims); cases start the interpreter itself.
  if (command.empty()) return sys::Error("--python is a command, not an empty word");
  auto question = command;
  question.insert(question.end(), {"-c", "import sys; print(sys.executable)"});
  const auto output = run_(question, kDescribeTimeout);
  if (!output) return output.error();
  const auto what = joined(command, " ");
  if (output->status != sys::ExitStatus(sys::Exited{0})) return failed(what, *output);
  const auto lines = lines_of(output->out);
  if (lines.size() != 1 || !fs::path(lines.front()).is_absolute()) {
    return sys::Error(what + " does not print its sys.executable: is it a Python interpreter?");
  }
  return lines.front();
}

}  // namespace poolproof::properties
