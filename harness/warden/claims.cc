#include "harness/warden/claims.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "harness/sys/fd.h"

namespace poolproof::warden {
namespace {

constexpr std::int64_t kMostBytes = 2 << 20;

/// The writer of a line that could not be parsed, if the line got that far.
harness::Pid writer_of(std::string_view line) {
  constexpr std::string_view key = "\"pid\":";
  auto at = line.find(key);
  if (at == std::string_view::npos) return 0;
  at += key.size();
  while (at < line.size() && line[at] == ' ') ++at;
  harness::Pid pid = 0;
  const auto end = std::from_chars(line.data() + at, line.data() + line.size(), pid);
  // A number that runs to the end of the line may be torn itself.
  return end.ptr == line.data() + line.size() ? 0 : pid;
}

}  // namespace

harness::Pid writer_of(const harness::Event& claim) {
  const auto pid = [](const auto& kind) -> harness::Pid {
    if constexpr (requires { kind.pid; }) return kind.pid;
    return 0;
  };
  return std::visit(pid, claim.kind);
}

void ClaimReader::take_torn(std::string_view line) {
  constexpr std::size_t kMostLines = 100;
  constexpr std::size_t kMostText = 200;
  if (torn_.size() < kMostLines)
    torn_.push_back({std::string(line.substr(0, kMostText)), writer_of(line)});
}

void ClaimReader::take_line(std::string_view line, harness::Nanoseconds start,
                            std::vector<harness::Event>& events) {
  if (line.empty()) return;  // between one record's last and the next one's first newline
  auto claim = harness::claim_from_json(line);
  if (!claim) return take_torn(line);
  auto& count = counts_[writer_of(claim->event)];
  ++count.claims;
  count.last = std::max(count.last, claim->seq);
  claim->event.at -= start;
  events.push_back(std::move(claim->event));
}

std::vector<harness::Event> ClaimReader::read(harness::Nanoseconds start) {
  std::vector<harness::Event> events;
  std::array<char, 8192> chunk{};
  while (!full()) {
    const ssize_t got =
        sys::retry_eintr([&] { return ::pread(file_, chunk.data(), chunk.size(), offset_); });
    if (got <= 0) break;
    offset_ += got;
    rest_.append(chunk.data(), static_cast<std::size_t>(got));
    if (got < static_cast<ssize_t>(chunk.size())) break;
  }
  std::size_t begin = 0;
  for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
    take_line(std::string_view(rest_).substr(begin, end - begin), start, events);
    begin = end + 1;
  }
  rest_.erase(0, begin);
  return events;
}

std::vector<ClaimReader::Torn> ClaimReader::torn() {
  if (!rest_.empty()) take_torn(rest_);
  rest_.clear();
  return std::move(torn_);
}

std::vector<harness::Pid> ClaimReader::writers_with_gaps() const {
  std::vector<harness::Pid> writers;
  for (const auto& [writer, count] : counts_) {
    if (count.claims < count.last) writers.push_back(writer);
  }
  return writers;
}

bool ClaimReader::full() const {
  return offset_ >= kMostBytes;
}

bool ClaimReader::shrank() const {
  struct stat now {};
  return ::fstat(file_, &now) != 0 || now.st_size < offset_;
}

}  // namespace poolproof::warden
