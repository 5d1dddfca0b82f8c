#include "ring.hpp"

#include <algorithm>
#include <cstring>

namespace poolproof::detail {
namespace {

// Records begin at multiples of this, so that a header is always in one piece.
constexpr std::size_t kAlign = sizeof(FrameHeader);
static_assert(kRingBytes % kAlign == 0);

constexpr std::size_t footprint(std::size_t payload) {
  return (sizeof(FrameHeader) + payload + kAlign - 1) / kAlign * kAlign;
}

constexpr std::size_t offset_of(std::uint64_t position) {
  return static_cast<std::size_t>(position % kRingBytes);
}

/// What is left at the end if a record of that size does not fit there.
constexpr std::size_t gap_before(std::uint64_t position, std::size_t size) {
  const std::size_t left = kRingBytes - offset_of(position);
  return size > left ? left : 0;
}

constexpr bool fits(std::uint64_t position, std::uint64_t oldest, std::size_t size) {
  return position + gap_before(position, size) + size - oldest <= kRingBytes;
}

/// Steps `position`; false if it would run into `oldest`.
bool put(std::array<char, kRingBytes>& bytes, std::uint64_t& position, std::uint64_t oldest,
         const FrameHeader& header, std::string_view payload) {
  const std::size_t size = footprint(payload.size());
  if (!fits(position, oldest, size)) return false;
  const std::size_t gap = gap_before(position, size);
  if (gap > 0) {
    FrameHeader skip;
    skip.kind = FrameKind::skip;
    std::memcpy(bytes.data() + offset_of(position), &skip, sizeof skip);
    position += gap;
  }
  char* const at = bytes.data() + offset_of(position);
  std::memcpy(at, &header, sizeof header);
  if (!payload.empty()) std::memcpy(at + sizeof header, payload.data(), payload.size());
  position += size;
  return true;
}

/// Steps `position`; false if there is no whole record between it and `end`.
bool take(const std::array<char, kRingBytes>& bytes, std::uint64_t& position, std::uint64_t end,
          Record& record) {
  FrameHeader& header = record.header;
  const auto read_header = [&] {
    if (end - position < sizeof header || end - position > kRingBytes) return false;
    std::memcpy(&header, bytes.data() + offset_of(position), sizeof header);
    return header.magic == FrameHeader::kMagic;
  };
  if (!read_header()) return false;
  if (header.kind == FrameKind::skip) {
    position += kRingBytes - offset_of(position);
    if (!read_header()) return false;
  }
  const std::size_t inside =
      header.carrier == Carrier::ring ? static_cast<std::size_t>(header.size) : 0;
  if (inside > kLargestInRing) return false;
  const std::size_t size = footprint(inside);
  if (size > end - position || gap_before(position, size) > 0) return false;
  record.payload = {bytes.data() + offset_of(position) + sizeof header, inside};
  position += size;
  return true;
}

constexpr std::uint32_t begun_of(std::uint64_t tasks) {
  return static_cast<std::uint32_t>(tasks >> 32);
}
constexpr std::uint32_t published_of(std::uint64_t tasks) {
  return static_cast<std::uint32_t>(tasks);
}
constexpr std::uint64_t pack(std::uint32_t begun, std::uint32_t published) {
  return std::uint64_t{begun} << 32 | published;
}

}  // namespace

bool TaskWriter::write(const FrameHeader& header, std::string_view payload) {
  if (in_hands() == kMostInHands) return false;
  const std::uint64_t before = position_;
  const std::uint64_t oldest = in_hands() == 0 ? position_ : start(retired_);
  if (!put(ring_->task_bytes, position_, oldest, header, payload)) return false;
  numbers_[written_ % kMostInHands] = header.task;
  start(written_++) = before;
  return true;
}

bool TaskWriter::sane(std::uint64_t tasks) const {
  return published_of(tasks) == published_ && begun_of(tasks) - retired_ <= published_ - retired_;
}

bool TaskWriter::publish() {
  std::uint64_t seen = ring_->tasks.load(std::memory_order_relaxed);
  do {
    if (!sane(seen)) return false;
  } while (!ring_->tasks.compare_exchange_weak(seen, pack(begun_of(seen), written_),
                                               std::memory_order_seq_cst));
  published_ = written_;
  return true;
}

void TaskWriter::retire() {
  ++retired_;
}

std::uint32_t TaskWriter::recall(std::uint32_t most) {
  std::uint64_t seen = ring_->tasks.load(std::memory_order_relaxed);
  std::uint32_t kept = 0;
  do {
    if (!sane(seen) || in_hands() == 0) return 0;
    const std::uint32_t fixed = std::max(begun_of(seen) - retired_, std::uint32_t{1});
    kept = std::max(fixed, in_hands() - std::min(most, in_hands()));
  } while (!ring_->tasks.compare_exchange_weak(seen, pack(begun_of(seen), retired_ + kept),
                                               std::memory_order_seq_cst));
  const std::uint32_t recalled = in_hands() - kept;
  if (recalled > 0) position_ = start(retired_ + kept);
  written_ = published_ = retired_ + kept;
  return recalled;
}

std::uint32_t TaskWriter::begun() const {
  const std::uint64_t tasks = ring_->tasks.load(std::memory_order_acquire);
  return sane(tasks) ? begun_of(tasks) - retired_ : std::min(in_hands(), std::uint32_t{1});
}

bool TaskReader::available() const {
  const std::uint64_t tasks = ring_->tasks.load(std::memory_order_seq_cst);
  return begun_of(tasks) != published_of(tasks);
}

bool TaskReader::begin(Record& record) {
  std::uint64_t seen = ring_->tasks.load(std::memory_order_relaxed);
  do {
    if (begun_of(seen) == published_of(seen)) return false;
  } while (!ring_->tasks.compare_exchange_weak(seen, pack(begun_of(seen) + 1, published_of(seen)),
                                               std::memory_order_acq_rel,
                                               std::memory_order_relaxed));
  torn_ = !take(ring_->task_bytes, position_, position_ + kRingBytes, record);
  return !torn_;
}

bool ResultWriter::write(const FrameHeader& header, std::string_view payload) {
  const std::uint64_t read = ring_->results_read.load(std::memory_order_seq_cst);
  if (!put(ring_->result_bytes, position_, read, header, payload)) return false;
  ring_->results_written.store(position_, std::memory_order_seq_cst);
  return true;
}

bool ResultWriter::has_room(std::size_t payload) const {
  const std::uint64_t read = ring_->results_read.load(std::memory_order_seq_cst);
  return fits(position_, read, footprint(payload));
}

bool ResultWriter::intact() const {
  const std::uint64_t read = ring_->results_read.load(std::memory_order_relaxed);
  return ring_->status.ready.load(std::memory_order_relaxed) == 1 &&
         ring_->results_written.load(std::memory_order_relaxed) == position_ &&
         position_ - read <= kRingBytes;
}

ResultReader::Found ResultReader::next(Record& record) {
  const std::uint64_t written = ring_->results_written.load(std::memory_order_acquire);
  if (written == position_) return Found::nothing;
  return take(ring_->result_bytes, position_, written, record) ? Found::record : Found::garbage;
}

void ResultReader::release() {
  ring_->results_read.store(position_, std::memory_order_seq_cst);
}

}  // namespace poolproof::detail
