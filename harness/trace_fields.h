#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/strict_json.h"
#include "harness/trace.h"

namespace poolproof::harness {

/// Every event's keys, told once for both directions: `fields(io, event)` names the members, and
/// `io` (Writing or Reading) does the rest. Private to trace.cc.

inline constexpr int kMostPid = INT32_MAX;

std::optional<StepResult::Kind> result_kind_named(std::string_view name);

template <class T, class U>
concept Like = std::same_as<std::remove_const_t<T>, U>;

void fields(auto& io, Like<Snapshot::Process> auto& e);
void fields(auto& io, Like<MainState::Descriptor> auto& e);
void fields(auto& io, Like<Goal> auto& e);
void fields(auto& io, Like<Wait> auto& e);
void fields(auto& io, Like<Resource::Holder> auto& e);
void fields(auto& io, Like<Resource> auto& e);
void fields(auto& io, Like<Polling::Poller> auto& e);
void fields(auto& io, Like<StepResult::Listed> auto& e);
void fields(auto& io, Like<StepResult> auto& e);

/// Writes the members that `fields` names.
class Writing {
 public:
  explicit Writing(ObjectWriter& object) : object_(object) {}

  void number(std::string_view key, std::int64_t value) { object_.number(key, value); }
  void time(std::string_view key, Nanoseconds value) { object_.number(key, value.count()); }
  void boolean(std::string_view key, bool value) { object_.boolean(key, value); }
  void text(std::string_view key, std::string_view value) { object_.text(key, value); }
  void maybe_number(std::string_view key, std::int64_t value) {
    if (value != 0) object_.number(key, value);
  }
  void maybe_boolean(std::string_view key, std::optional<bool> value) {
    if (value) object_.boolean(key, *value);
  }
  void maybe_text(std::string_view key, std::string_view value) {
    if (!value.empty()) object_.text(key, value);
  }
  void letter(std::string_view key, char value) { object_.text(key, {&value, 1}); }
  void status(const sys::ExitStatus& value) {
    if (const auto* exited = std::get_if<sys::Exited>(&value)) {
      object_.number("exited", exited->code);
    } else {
      object_.number("killed", std::get<sys::Killed>(value).signal);
    }
  }
  void result_kind(StepResult::Kind kind) { object_.text("kind", name(kind)); }
  template <class T>
  void one(std::string_view key, const T& value) {
    write(object_.name(key), value);
  }
  template <class T>
  void list(std::string_view key, const std::vector<T>& values) {
    std::string& out = object_.name(key) += '[';
    for (std::size_t i = 0; i < values.size(); ++i) write(i > 0 ? out += ", " : out, values[i]);
    out += ']';
  }
  template <class T>
  void maybe_list(std::string_view key, const std::optional<std::vector<T>>& values) {
    if (values) list(key, *values);
  }

 private:
  template <class T>
  static void write(std::string& out, const T& value) {
    ObjectWriter object(out);
    Writing io(object);
    fields(io, value);
    object.end();
  }
  ObjectWriter& object_;
};

/// Reads them, strictly.
class Reading {
 public:
  Reading(ObjectReader& object, Complaint& complaint) : object_(object), complaint_(complaint) {}

  void number(std::string_view key, int& value) { value = object_.small(key, -1, kMostPid); }
  void number(std::string_view key, std::int64_t& value) {
    value = object_.integer(key, 0, INT64_MAX);
  }
  void time(std::string_view key, Nanoseconds& value) {
    value = Nanoseconds(object_.integer(key, INT64_MIN, INT64_MAX));
  }
  void boolean(std::string_view key, bool& value) { value = object_.boolean(key); }
  void text(std::string_view key, std::string& value) { value = object_.text(key); }
  void maybe_number(std::string_view key, int& value) {
    value = static_cast<int>(object_.maybe_integer(key, 0, kMostPid).value_or(0));
  }
  void maybe_boolean(std::string_view key, std::optional<bool>& value) {
    value = object_.maybe_boolean(key);
  }
  void maybe_text(std::string_view key, std::string& value) { value = object_.maybe_text(key); }
  void letter(std::string_view key, char& value) {
    const std::string one = object_.text(key);
    value = one.size() == 1 ? one.front() : '?';
    if (one.size() != 1) object_.complain(key, "expected one letter");
  }
  void status(sys::ExitStatus& value) {
    if (object_.has("killed")) {
      value = sys::Killed{object_.small("killed", 0, 255)};
    } else {
      value = sys::Exited{object_.small("exited", 0, 255)};
    }
  }
  void result_kind(StepResult::Kind& kind) { kind = object_.one_of("kind", result_kind_named); }
  template <class T>
  void one(std::string_view key, T& value) {
    read(object_.object(key), object_.path_to(key), value);
  }
  template <class T>
  void list(std::string_view key, std::vector<T>& values) {
    const auto& array = object_.array(key);
    values.reserve(array.size());
    for (std::size_t i = 0; i < array.size(); ++i) {
      read(array[i], object_.path_to(key, i), values.emplace_back());
    }
  }
  template <class T>
  void maybe_list(std::string_view key, std::optional<std::vector<T>>& values) {
    if (object_.has(key)) list(key, values.emplace());
  }

 private:
  template <class T>
  void read(const nlohmann::json& json, std::string path, T& value) {
    ObjectReader object(json, std::move(path), complaint_);
    Reading io(object, complaint_);
    fields(io, value);
    object.finish();
  }
  ObjectReader& object_;
  Complaint& complaint_;
};

void fields(auto& io, Like<Snapshot::Process> auto& e) {
  io.number("pid", e.pid);
  io.letter("state", e.state);
  io.number("parent", e.parent);
}
void fields(auto& io, Like<MainState::Descriptor> auto& e) {
  io.number("fd", e.fd);
  io.text("of", e.of);
}
void fields(auto& io, Like<Goal> auto& e) {
  io.text("wants", e.wants);
  io.maybe_text("of", e.of);
  io.maybe_number("owner", e.owner);
}
void fields(auto& io, Like<Wait> auto& e) {
  io.number("pid", e.pid);
  io.number("tid", e.tid);
  io.text("call", e.call);
  io.text("on", e.on);
  io.maybe_text("doubt", e.doubt);
  io.list("goals", e.goals);
}
void fields(auto& io, Like<Resource::Holder> auto& e) {
  io.number("pid", e.pid);
  io.number("fd", e.fd);
  io.text("access", e.access);
}
void fields(auto& io, Like<Resource> auto& e) {
  io.text("name", e.name);
  io.maybe_text("peer", e.peer);
  io.list("holders", e.holders);
}
void fields(auto& io, Like<StepResult::Listed> auto& e) {
  io.maybe_number("pid", e.pid);  // a pool of threads has none
  io.maybe_text("name", e.name);
  io.maybe_boolean("daemon", e.daemon);
  io.maybe_boolean("alive", e.alive);
}
void fields(auto& io, Like<StepResult> auto& e) {
  io.result_kind(e.kind);
  io.maybe_text("error", e.error);
  io.maybe_text("message", e.message);
  io.maybe_text("value", e.value);
  io.maybe_list("workers", e.workers);
  io.maybe_number("killed", e.killed);
}

void fields(auto& io, Like<Born> auto& e) {
  io.number("pid", e.pid);
  io.number("outer", e.outer);
  io.number("parent", e.parent);
  io.text("how", e.how);
}
void fields(auto& io, Like<Execed> auto& e) {
  io.number("pid", e.pid);
  io.text("path", e.path);
}
template <class E>
concept OfThread = Like<E, ThreadBorn> || Like<E, ThreadDead>;
void fields(auto& io, OfThread auto& e) {
  io.number("pid", e.pid);
  io.number("tid", e.tid);
}
void fields(auto& io, Like<Signalled> auto& e) {
  io.number("pid", e.pid);
  io.number("signal", e.signal);
  io.number("sender", e.sender);
}
template <class E>
concept OfDeath = Like<E, Dying> || Like<E, Dead>;
void fields(auto& io, OfDeath auto& e) {
  io.number("pid", e.pid);
  io.status(e.status);
}
template <class E>
concept OfProcess =
    Like<E, KilledByWarden> || Like<E, Foreign> || Like<E, Started> || Like<E, EndingBegun>;
void fields(auto& io, OfProcess auto& e) {
  io.number("pid", e.pid);
}
void fields(auto& io, Like<OutputEof> auto& e) {
  io.text("stream", e.stream);
}
void fields(auto& io, Like<Snapshot> auto& e) {
  io.number("step", e.step);
  io.list("processes", e.processes);
  io.number("main_descriptors", e.main_descriptors);
  io.number("main_threads", e.main_threads);
}
void fields(auto& io, Like<MainState> auto& e) {
  io.text("at", e.at);
  io.list("descriptors", e.descriptors);
  io.text("blocked", e.blocked);
  io.text("ignored", e.ignored);
  io.text("caught", e.caught);
  io.text("umask", e.umask);
  io.text("folder", e.folder);
  io.text("root", e.root);
  io.text("limits", e.limits);
  io.text("nice", e.nice);
  io.text("oom_score_adj", e.oom_score_adj);
  io.text("group", e.group);
  io.text("session", e.session);
  io.text("processors", e.processors);
}
void fields(auto& io, Like<AtRest> auto& e) {
  io.boolean("proved", e.proved);
  io.list("waits", e.waits);
  io.list("resources", e.resources);
}
void fields(auto& io, Like<Polling::Poller> auto& e) {
  io.number("pid", e.pid);
  io.number("tid", e.tid);
  io.text("call", e.call);
  io.number("wakes", e.wakes);
}
void fields(auto& io, Like<Polling> auto& e) {
  io.time("since_ns", e.since);
  io.list("pollers", e.pollers);
  io.maybe_text("doubt", e.doubt);
}
void fields(auto& io, Like<Delay> auto& e) {
  io.time("total_ns", e.total);
}
void fields(auto& io, Like<LimitHit> auto& e) {
  io.text("what", e.what);
}
void fields(auto& io, Like<LeftOver> auto& e) {
  io.text("where", e.where);
  io.number("count", e.count);
}
void fields(auto& io, Like<Lost> auto& e) {
  io.text("why", e.why);
}
void fields(auto& io, Like<FaultFired> auto& e) {
  io.number("pid", e.pid);
  io.text("token", e.token);
  io.number("calls", e.calls);
}
void fields(auto& io, Like<StepBegun> auto& e) {
  io.number("pid", e.pid);
  io.number("step", e.step);
}
void fields(auto& io, Like<StepEnded> auto& e) {
  io.number("pid", e.pid);
  io.number("step", e.step);
  io.one("result", e.result);
}
void fields(auto& io, Like<TaskBegun> auto& e) {
  io.number("pid", e.pid);
  io.number("task", e.task);
  io.maybe_number("item", e.item);
}
void fields(auto& io, Like<TaskEnded> auto& e) {
  io.number("pid", e.pid);
  io.number("task", e.task);
  io.text("how", e.how);
  io.maybe_number("item", e.item);
  io.maybe_number("input", e.input);
}
void fields(auto& io, Like<CalledBack> auto& e) {
  io.number("pid", e.pid);
  io.number("task", e.task);
  io.text("with", e.with);
}
void fields(auto& io, Like<OwnChild> auto& e) {
  io.number("pid", e.pid);
  io.number("child", e.child);
}
void fields(auto& io, Like<Garbage> auto& e) {
  io.text("text", e.text);
}

void fields(auto& io, Like<Captured> auto& e) {
  io.text("text", e.text);
  io.number("bytes", e.bytes);
}

}  // namespace poolproof::harness
