#include "harness/trace.h"

#include <array>

#include "harness/trace_fields.h"

namespace poolproof::harness {
namespace {

struct KindEntry {
  std::string_view name;
  bool claim = false;
};
/// In the order of Event::Kind.
constexpr std::array kKinds{KindEntry{"born"},
                            KindEntry{"execed"},
                            KindEntry{"thread-born"},
                            KindEntry{"thread-dead"},
                            KindEntry{"signalled"},
                            KindEntry{"dying"},
                            KindEntry{"dead"},
                            KindEntry{"killed-by-warden"},
                            KindEntry{"output-eof"},
                            KindEntry{"snapshot"},
                            KindEntry{"main-state"},
                            KindEntry{"at-rest"},
                            KindEntry{"polling"},
                            KindEntry{"delay"},
                            KindEntry{"foreign"},
                            KindEntry{"limit-hit"},
                            KindEntry{"left-over"},
                            KindEntry{"lost"},
                            KindEntry{"fault-fired"},
                            KindEntry{"started", true},
                            KindEntry{"step-begun", true},
                            KindEntry{"step-ended", true},
                            KindEntry{"task-begun", true},
                            KindEntry{"task-ended", true},
                            KindEntry{"called-back", true},
                            KindEntry{"own-child", true},
                            KindEntry{"ending", true},
                            KindEntry{"garbage"}};
static_assert(kKinds.size() == std::variant_size_v<Event::Kind>);

constexpr std::array<std::string_view, 9> kResultKinds{"ok",          "refused",   "task-error",
                                                       "worker-died", "cancelled", "timeout",
                                                       "not-fired",   "exhausted", "error"};
constexpr std::array<std::string_view, 8> kEnds{"all-dead", "at-rest", "grace", "polling",
                                                "deadline", "fuse",    "limit", "time-over"};

template <class Enum, std::size_t N>
std::optional<Enum> enum_named(const std::array<std::string_view, N>& names,
                               std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}
std::optional<End> end_named(std::string_view name) {
  return enum_named<End>(kEnds, name);
}

// ---- Documents ---------------------------------------------------------------------------------

template <std::size_t... I>
Event::Kind kind_at(std::size_t index, std::index_sequence<I...>) {
  static constexpr std::array kMakers{
      +[]() -> Event::Kind { return std::variant_alternative_t<I, Event::Kind>{}; }...};
  return kMakers[index]();
}

Event::Kind read_kind(ObjectReader& object) {
  const bool claim = object.has("claim");
  const std::string_view key = claim ? "claim" : "fact";
  const std::string word = object.text(key);
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i].name == word && kKinds[i].claim == claim) {
      return kind_at(i, std::make_index_sequence<kKinds.size()>{});
    }
  }
  object.complain(key, shown(word) + " is none of the names known here");
  return Garbage{};
}

Event read_event(ObjectReader& object, Complaint& complaint) {
  Event event;
  event.at = Nanoseconds(object.integer("at_ns", INT64_MIN, INT64_MAX));
  event.kind = read_kind(object);
  if (complaint.any()) return event;
  Reading io(object, complaint);
  std::visit([&](auto& kind) { fields(io, kind); }, event.kind);
  return event;
}

void append_json(std::string& out, const Event& event) {
  const auto& kind = kKinds[event.kind.index()];
  ObjectWriter object(out);
  object.number("at_ns", event.at.count()).text(kind.claim ? "claim" : "fact", kind.name);
  Writing io(object);
  std::visit([&](const auto& k) { fields(io, k); }, event.kind);
  object.end();
}

Trace read_header(const nlohmann::json& value, Complaint& complaint) {
  ObjectReader object(value, "", complaint);
  Trace trace;
  if (object.integer("format", INT64_MIN, INT64_MAX) != kTraceFormat) {
    object.complain("format", "this build reads format " + std::to_string(kTraceFormat) + " only");
  }
  trace.rung = object.small("rung", 1, 3);
  trace.exact = object.boolean("exact");
  trace.end = object.one_of("end", end_named);
  Reading io(object, complaint);
  io.one("stdout", trace.out);
  io.one("stderr", trace.err);
  object.finish();
  return trace;
}

/// Takes the first line off `text`.
std::string_view next_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

std::optional<StepResult::Kind> result_kind_named(std::string_view name) {
  return enum_named<StepResult::Kind>(kResultKinds, name);
}

std::string to_json(const Event& event) {
  std::string out;
  append_json(out, event);
  return out;
}

sys::Result<Event> event_from_json(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed) return sys::Error("event: " + parsed.error().message());
  Complaint complaint;
  ObjectReader object(*parsed, "", complaint);
  Event event = read_event(object, complaint);
  object.finish();
  if (complaint.any()) return complaint.error("event");
  return event;
}

sys::Result<Claim> claim_from_json(std::string_view line) {
  const auto parsed = parse_json(line);
  if (!parsed) return sys::Error("claim: " + parsed.error().message());
  Complaint complaint;
  ObjectReader object(*parsed, "", complaint);
  if (!object.has("claim")) object.complain("claim", "missing");
  Claim claim;
  claim.seq = object.integer("seq", 1, INT64_MAX);
  claim.event = read_event(object, complaint);
  object.finish();
  if (complaint.any()) return complaint.error("claim");
  return claim;
}

std::string to_json_lines(const Trace& trace) {
  std::string out;
  out.reserve(512 + trace.out.text.size() + trace.err.text.size() + trace.events.size() * 128);
  ObjectWriter header(out);
  header.number("format", kTraceFormat).number("rung", trace.rung).boolean("exact", trace.exact);
  header.text("end", name(trace.end));
  Writing io(header);
  io.one("stdout", trace.out);
  io.one("stderr", trace.err);
  header.end();
  out += '\n';
  for (const Event& event : trace.events) {
    append_json(out, event);
    out += '\n';
  }
  return out;
}

sys::Result<Trace> trace_from_json_lines(std::string_view text) {
  if (text.size() > kMaxJsonBytes) return sys::Error("trace: more than 4 MiB");
  const auto header = parse_json(next_line(text));
  if (!header) return sys::Error("trace line 1: " + header.error().message());
  Complaint complaint;
  Trace trace = read_header(*header, complaint);
  if (complaint.any()) return complaint.error("trace line 1");
  for (int line = 2; !text.empty(); ++line) {
    auto event = event_from_json(next_line(text));
    if (!event)
      return sys::Error("trace line " + std::to_string(line) + ": " + event.error().message());
    trace.events.push_back(*std::move(event));
  }
  return trace;
}

Pid Trace::main() const {
  for (const Event& event : events) {
    const auto* born = std::get_if<Born>(&event.kind);
    if (born != nullptr && born->how == "main") return born->pid;
  }
  return 0;
}

Nanoseconds Trace::tree_time(Nanoseconds from, Nanoseconds to) const {
  Nanoseconds before{0};
  Nanoseconds after{0};
  for (const Event& event : events) {
    const auto* delay = std::get_if<Delay>(&event.kind);
    if (delay == nullptr) continue;
    if (event.at <= from) before = delay->total;
    after = delay->total;
    if (event.at >= to) break;
  }
  const Nanoseconds delayed = std::max(after - before, Nanoseconds{0});
  return std::max(to - from - delayed, Nanoseconds{0});
}

std::string_view name(StepResult::Kind kind) {
  return kResultKinds[static_cast<std::size_t>(kind)];
}
std::string_view name(End end) {
  return kEnds[static_cast<std::size_t>(end)];
}

}  // namespace poolproof::harness
