#include "properties/wait_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "properties/cycles.h"
#include "properties/family.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::AtRest;
using harness::Goal;
using harness::Pid;
using harness::Resource;
using harness::Trace;
using harness::Wait;

using Pids = std::set<Pid>;

/// The number in "pipe:[7]", the rest of "futex:0x7f00", or the whole.
std::string short_name(const std::string& of) {
  const auto open = of.find('[');
  if (open != std::string::npos && of.back() == ']')
    return of.substr(open + 1, of.size() - open - 2);
  const auto colon = of.find(':');
  return colon == std::string::npos ? of : of.substr(colon + 1);
}

std::string kind_of(const std::string& of) {
  return of.substr(0, of.find_first_of(":["));
}

int number_in(const std::string& of) {
  return std::atoi(short_name(of).c_str());
}

class Graph {
 public:
  Graph(const Trace& trace, const AtRest& rest) : family_(trace), rest_(rest) {
    for (const auto& resource : rest.resources) resources_[resource.name] = &resource;
    for (const auto& wait : rest.waits) {
      sleepers_[wait.pid].push_back(&wait);
      for (const auto& goal : wait.goals) note_edges(wait, goal);
    }
  }

  /// Those about one process where `only` is not 0.
  std::vector<std::string> sentences(Pid only = 0) const {
    std::vector<std::string> lines;
    for (const auto& group : groups()) {
      const bool wanted =
          std::any_of(group.waits.begin(), group.waits.end(),
                      [only](const Wait* wait) { return only == 0 || wait->pid == only; });
      if (wanted) lines.push_back(sentence(group));
    }
    if (only != 0) return lines;
    for (const auto& cycle : cycles_of(edges_)) lines.push_back("cycle: " + in_words(cycle));
    return lines;
  }

  std::string signature() const {
    std::set<std::string> edges;
    for (const auto& wait : rest_.waits) {
      for (const auto& goal : wait.goals) {
        std::set<std::string> from;
        for (const Pid pid : wakers(wait, goal))
          from.insert(pid == wait.pid ? "itself" : std::string(name(family_.role(pid))));
        const std::string of = goal.wants == "exit" ? "" : kind_of(goal.of);
        edges.insert(fmt::format("{}: {}{}{}{}{}", name(family_.role(wait.pid)), goal.wants,
                                 of.empty() ? "" : " of " + of, from.empty() ? "" : " from ",
                                 enumerated({from.begin(), from.end()}),
                                 goal.owner != 0 ? ", a held lock" : ""));
      }
      if (wait.goals.empty())
        edges.insert(fmt::format("{}: {}", name(family_.role(wait.pid)), wait.call));
    }
    return joined({edges.begin(), edges.end()}, "; ");
  }

 private:
  /// Threads that wait alike: of one process, or the only ones of theirs.
  struct Group {
    std::vector<const Wait*> waits;
    std::string what;
  };

  // ---- Who could end what
  // -------------------------------------------------------------------------

  const Resource* resource(const std::string& name) const {
    const auto found = resources_.find(name);
    return found == resources_.end() ? nullptr : found->second;
  }

  /// The resource whose holders could act on the goal, and what access that takes.
  struct Lever {
    const Resource* resource = nullptr;
    char access = 0;  // 0: any
  };
  Lever lever(const Goal& goal) const {
    const auto* of = resource(goal.of);
    if (of == nullptr || goal.wants == "connection") return {};
    const auto kind = kind_of(goal.of);
    if (kind == "socket") return {of->peer.empty() ? nullptr : resource(of->peer), 0};
    if (kind == "pipe") return {of, goal.wants == "room" ? 'r' : 'w'};
    return {of, 0};
  }

  std::vector<const Resource::Holder*> holders(const Goal& goal) const {
    std::vector<const Resource::Holder*> found;
    const auto [resource, access] = lever(goal);
    if (resource == nullptr) return found;
    for (const auto& holder : resource->holders) {
      if (access == 0 || holder.access.find(access) != std::string::npos) found.push_back(&holder);
    }
    return found;
  }

  /// The process that a lock's owner belongs to; 0 where nobody is known.
  Pid owner_process(const Goal& goal) const {
    for (const auto& wait : rest_.waits) {
      if (goal.owner != 0 && wait.tid == goal.owner) return wait.pid;
    }
    return 0;
  }

  Pids wakers(const Wait& wait, const Goal& goal) const {
    Pids pids;
    if (const Pid owner = owner_process(goal)) return {owner};
    if (goal.wants == "exit") {
      if (const int pid = number_in(goal.of)) pids.insert(pid);
    } else if (goal.wants == "wake" && resource(goal.of) == nullptr) {
      pids.insert(wait.pid);
    } else {
      for (const auto* holder : holders(goal)) pids.insert(holder->pid);
    }
    return pids;
  }

  /// That several share a futex does not say who of them should wake whom.
  void note_edges(const Wait& wait, const Goal& goal) {
    if (goal.wants == "wake" && goal.owner == 0) return;
    for (const Pid pid : wakers(wait, goal)) {
      if (pid != wait.pid) edges_[wait.pid].insert(pid);
    }
  }

  // ---- In words

  std::string in_words(const std::vector<Pid>& cycle) const {
    std::string text;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      text += fmt::format("{}{}{}", i > 0 ? ", " : "", names({cycle[i]}),
                          i == 0 ? " waits for " + names({cycle[1 % cycle.size()]})
                                 : " for " + names({cycle[(i + 1) % cycle.size()]}));
    }
    return text;
  }

  // ---- Names
  // --------------------------------------------------------------------------------------

  std::string names(const Pids& pids) const { return family_.in_words(pids); }

  std::string who(const Group& group) const {
    Pids pids;
    std::vector<std::string> threads;
    for (const auto* wait : group.waits) {
      pids.insert(wait->pid);
      if (wait->tid != wait->pid) threads.push_back(std::to_string(wait->tid));
    }
    if (threads.empty()) return names(pids);
    const bool with_leader = threads.size() < group.waits.size();
    return fmt::format("{}{} {} of {}", with_leader ? "the first thread and " : "",
                       threads.size() > 1 ? "threads" : "thread", enumerated(threads), names(pids));
  }

  // ---- What for
  // -----------------------------------------------------------------------------------

  /// Goals that differ in nothing but their number.
  struct Kind {
    std::string wants;
    std::string of;  // "pipe"
    std::vector<const Goal*> goals;
  };
  static std::vector<Kind> kinds(const Wait& wait) {
    std::vector<Kind> found;
    for (const auto& goal : wait.goals) {
      const auto of = kind_of(goal.of);
      auto kind = std::find_if(found.begin(), found.end(), [&](const Kind& other) {
        return other.wants == goal.wants && other.of == of;
      });
      if (kind == found.end()) kind = found.insert(found.end(), {goal.wants, of, {}});
      kind->goals.push_back(&goal);
    }
    return found;
  }

  /// "pipes 7 and 9".
  static std::string things(const Kind& kind) {
    std::vector<std::string> numbers;
    for (const auto* goal : kind.goals) numbers.push_back(printable(short_name(goal->of)));
    return fmt::format("{}{} {}", printable(kind.of), numbers.size() > 1 ? "s" : "",
                       enumerated(numbers));
  }

  std::string goal_in_words(const Wait& wait, const Kind& kind) const {
    if (kind.wants == "wake") return "a wake at futex " + wait.on;
    if (kind.wants == "signal") return "a signal";
    if (kind.wants == "SIGCONT") return "SIGCONT";
    if (kind.wants == "byte") return "a byte on " + things(kind);
    if (kind.wants == "room") return "room in " + things(kind);
    if (kind.wants == "connection") return "a connection to " + things(kind);
    if (kind.wants != "exit") return "an " + kind.wants + " of " + things(kind);
    Pids pids;
    for (const auto* goal : kind.goals) pids.insert(number_in(goal->of));
    return "the end of " + names(pids);
  }

  /// Without who could end it.
  std::string goals_in_words(const Wait& wait) const {
    std::vector<std::string> words;
    for (const auto& kind : kinds(wait)) words.push_back(goal_in_words(wait, kind));
    if (words.empty()) return fmt::format("in {}({})", wait.call, printable(wait.on));
    return "for " + joined(words, " or ");
  }

  // ---- By whom
  // ------------------------------------------------------------------------------------

  /// ", which wait for a wake at futex 0x7f10": where all that those processes do is wait alike.
  std::string and_they(const Pids& pids) const {
    std::set<std::string> all;
    for (const Pid pid : pids) {
      const auto found = sleepers_.find(pid);
      if (found == sleepers_.end() || found->second.size() != 1) return "";
      all.insert(goals_in_words(*found->second.front()));
    }
    if (all.size() != 1) return "";
    return fmt::format(", which {} {}", pids.size() > 1 ? "wait" : "waits", *all.begin());
  }

  std::string own_descriptors(const Wait& wait, const Kind& kind) const {
    std::set<int> own;
    for (const auto* goal : kind.goals) {
      for (const auto* holder : holders(*goal)) {
        if (holder->pid == wait.pid) own.insert(holder->fd);
      }
    }
    std::vector<std::string> words;
    words.reserve(own.size());
    for (const int fd : own) words.push_back(std::to_string(fd));
    return fmt::format("fd{} {}", words.size() > 1 ? "s" : "", enumerated(words));
  }

  std::string held(const Wait& wait, const Kind& kind, const std::string& what) const {
    Pids others;
    bool itself = false;
    for (const auto* goal : kind.goals) {
      if (lever(*goal).resource == nullptr) return "";
      for (const auto* holder : holders(*goal))
        holder->pid == wait.pid ? void(itself = true) : void(others.insert(holder->pid));
    }
    const bool many = kind.goals.size() > 1;
    const std::string own = itself ? own_descriptors(wait, kind) : "";
    if (others.empty()) {
      if (!itself) return fmt::format("; no {}{} is left", what, many ? "s" : "");
      return own.rfind("fds", 0) == 0 ? fmt::format("; the only {}s left are its own {}", what, own)
                                      : fmt::format("; the only {} left is its own {}", what, own);
    }
    const auto end = fmt::format(", whose {}{} held by ", what, many ? "s are" : " is");
    if (itself) return end + names(others) + ", and by itself (" + own + ")";
    return end + names(others) + and_they(others);
  }

  std::string woken(const Wait& wait, const Goal& goal) const {
    if (const Pid owner = owner_process(goal)) {
      const std::string thread =
          goal.owner == owner ? "" : fmt::format("thread {} of ", goal.owner);
      return fmt::format(", a lock that {}{} holds", thread, names({owner}));
    }
    const auto* word = resource(goal.of);
    if (word == nullptr) {
      return sleepers_.at(wait.pid).size() > 1 ? ", which only its own threads know"
                                               : ", which nobody else knows";
    }
    Pids others;
    for (const auto& holder : word->holders) {
      if (holder.pid != wait.pid) others.insert(holder.pid);
    }
    if (others.empty()) return ", which nobody else has mapped";
    Pids all = others;
    all.insert(wait.pid);
    return fmt::format(", which {} share", names(all));
  }

  std::string by_whom(const Wait& wait, const Kind& kind) const {
    if (kind.wants == "wake") return woken(wait, *kind.goals.front());
    if (kind.of == "pipe") return held(wait, kind, kind.wants == "room" ? "read end" : "write end");
    if (kind.of == "socket" && kind.wants != "connection") return held(wait, kind, "other end");
    if (kind.of == "eventfd") return held(wait, kind, "descriptor");
    if (kind.wants != "exit") return "";
    Pids pids;
    for (const auto* goal : kind.goals) pids.insert(number_in(goal->of));
    return and_they(pids);
  }

  std::string what(const Wait& wait) const {
    std::vector<std::string> parts;
    for (const auto& kind : kinds(wait))
      parts.push_back(goal_in_words(wait, kind) + by_whom(wait, kind));
    auto text = parts.empty() ? goals_in_words(wait) : "for " + joined(parts, ", or for ");
    if (!wait.doubt.empty()) text += " (in doubt: " + printable(wait.doubt) + ")";
    return text;
  }

  // ---- Sentences
  // ----------------------------------------------------------------------------------

  std::vector<Group> groups() const {
    std::vector<const Wait*> waits;
    for (const auto& wait : rest_.waits) waits.push_back(&wait);
    const auto* main = family_.main();
    const Pid first = main == nullptr ? 0 : main->pid;
    std::stable_partition(waits.begin(), waits.end(),
                          [first](const Wait* wait) { return wait->pid == first; });
    std::vector<Group> groups;
    for (const auto* wait : waits) {
      const auto text = what(*wait);
      auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& other) {
        return other.what == text && may_join(*wait, *other.waits.front());
      });
      if (group == groups.end()) group = groups.insert(groups.end(), {{}, text});
      group->waits.push_back(wait);
    }
    return groups;
  }

  bool may_join(const Wait& one, const Wait& other) const {
    if (one.pid == other.pid) return true;
    return sleepers_.at(one.pid).size() == 1 && sleepers_.at(other.pid).size() == 1;
  }

  std::string sentence(const Group& group) const {
    const bool many = group.waits.size() > 1;
    return fmt::format("{} {} {}", who(group), many ? "wait" : "waits", group.what);
  }

  Family family_;
  const AtRest& rest_;
  std::map<std::string, const Resource*> resources_;
  std::map<Pid, std::vector<const Wait*>> sleepers_;
  Edges edges_;
};

const AtRest* last_rest(const Trace& trace, bool proved) {
  const AtRest* last = nullptr;
  for (const auto& event : trace.events) {
    const auto* rest = std::get_if<AtRest>(&event.kind);
    if (rest != nullptr && (rest->proved || !proved)) last = rest;
  }
  return last;
}

}  // namespace

std::vector<std::string> wait_graph(const Trace& trace, const AtRest& rest) {
  return Graph(trace, rest).sentences();
}

std::vector<std::string> wait_graph(const Trace& trace) {
  const auto* last = last_rest(trace, false);
  return last == nullptr ? std::vector<std::string>{} : wait_graph(trace, *last);
}

std::string waits_in_words(const Trace& trace, std::size_t event, Pid pid, std::size_t most) {
  const auto* rest = std::get_if<AtRest>(&trace.events[event].kind);
  if (rest == nullptr) return "";
  auto lines = Graph(trace, *rest).sentences(pid);
  const auto missing = lines.size() > most ? lines.size() - most : 0;
  lines.resize(lines.size() - missing);
  if (missing > 0) lines.push_back(fmt::format("and {} more", missing));
  return joined(lines, "; ");
}

std::string wait_signature(const Trace& trace) {
  const auto* last = last_rest(trace, true);
  return last == nullptr ? "" : Graph(trace, *last).signature();
}

}  // namespace poolproof::properties
