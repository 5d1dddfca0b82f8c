#include "properties/family.h"

#include <set>

#include "properties/text.h"

namespace poolproof::properties {

using harness::Event;
using harness::Pid;
using harness::Trace;

std::string_view name(Role role) {
  switch (role) {
    case Role::kMain:
      return "main";
    case Role::kWorker:
      return "worker";
    case Role::kHelper:
      return "helper";
    case Role::kTaskChild:
      return "task child";
    case Role::kOwn:
      return "own child";
    case Role::kProcess:
      return "process";
  }
  return "process";
}

Family::Family(const Trace& trace) : main_(trace.main()) {
  for (const auto& event : trace.events) note(event);
  assign_roles(trace);
}

const Member* Family::member(Pid pid) const {
  const auto at = index_.find(pid);
  return at == index_.end() ? nullptr : &members_[at->second];
}

Member* Family::find(Pid pid) {
  const auto at = index_.find(pid);
  return at == index_.end() ? nullptr : &members_[at->second];
}

const Member* Family::main() const {
  return member(main_);
}

void Family::note(const Event& event) {
  if (const auto* born = std::get_if<harness::Born>(&event.kind)) {
    index_[born->pid] = members_.size();  // a pid used again means the younger one
    Member member;
    member.pid = born->pid;
    member.parent = born->parent;
    member.how = born->how;
    member.born = event.at;
    members_.push_back(std::move(member));
  } else if (const auto* dead = std::get_if<harness::Dead>(&event.kind)) {
    auto* member = find(dead->pid);
    if (member == nullptr || member->killed_by_warden) return;
    member->dead = event.at;
    member->status = dead->status;
  } else if (const auto* killed = std::get_if<harness::KilledByWarden>(&event.kind)) {
    if (auto* member = find(killed->pid)) member->killed_by_warden = true;
  } else if (const auto* rest = std::get_if<harness::AtRest>(&event.kind)) {
    const auto* main = this->main();
    if (!rest->proved || main == nullptr || !main->dead) return;
    for (auto& member : members_) {
      if (!member.dead && !member.killed_by_warden) member.asleep_for_ever = true;
    }
  }
}

void Family::assign_roles(const Trace& trace) {
  std::map<Pid, int> open_tasks;
  std::set<Pid> workers;
  std::set<Pid> helpers;
  std::set<Pid> task_children;
  std::set<Pid> own;
  for (const auto& event : trace.events) {
    if (const auto* begun = std::get_if<harness::TaskBegun>(&event.kind)) {
      workers.insert(begun->pid);
      ++open_tasks[begun->pid];
    } else if (const auto* ended = std::get_if<harness::TaskEnded>(&event.kind)) {
      --open_tasks[ended->pid];
    } else if (const auto* step = std::get_if<harness::StepEnded>(&event.kind)) {
      for (const auto& listed :
           step->result.workers.value_or(std::vector<harness::StepResult::Listed>{})) {
        workers.insert(listed.pid);
      }
    } else if (const auto* child = std::get_if<harness::OwnChild>(&event.kind)) {
      if (child->pid == main_) own.insert(child->child);
    } else if (const auto* execed = std::get_if<harness::Execed>(&event.kind)) {
      helpers.insert(execed->pid);
    } else if (const auto* born = std::get_if<harness::Born>(&event.kind)) {
      helpers.insert(born->parent);
      if (open_tasks[born->parent] > 0) task_children.insert(born->pid);
    }
  }
  for (auto& member : members_) {
    if (member.pid == main_) {
      member.role = Role::kMain;
    } else if (workers.contains(member.pid)) {
      member.role = Role::kWorker;
    } else if (task_children.contains(member.pid)) {
      member.role = Role::kTaskChild;
    } else if (own.contains(member.pid)) {
      member.role = Role::kOwn;
    } else if (helpers.contains(member.pid)) {
      member.role = Role::kHelper;
    }
  }
}

Role Family::role(harness::Pid pid) const {
  const auto* found = member(pid);
  return found == nullptr ? Role::kProcess : found->role;
}

std::string Family::in_words(const std::set<harness::Pid>& pids) const {
  std::map<Role, std::vector<std::string>> by_role;
  for (const harness::Pid pid : pids) {
    by_role[role(pid)].push_back(std::to_string(pid));
  }
  std::vector<std::string> parts;
  for (const auto& [role, numbers] : by_role) {
    const std::string plural = role == Role::kTaskChild ? "task children"
                               : role == Role::kOwn     ? "own children"
                               : role == Role::kProcess ? "processes"
                                                        : std::string(name(role)) + "s";
    parts.push_back((numbers.size() > 1 ? plural : std::string(name(role))) + " " +
                    enumerated(numbers));
  }
  return enumerated(parts);
}

std::vector<const Member*> Family::survivors() const {
  std::vector<const Member*> result;
  const auto* main = this->main();
  if (main == nullptr || !main->dead) return result;
  for (const auto& member : members_) {
    if (&member != main && (!member.dead || *member.dead > *main->dead)) result.push_back(&member);
  }
  return result;
}

}  // namespace poolproof::properties
