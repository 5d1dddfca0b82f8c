#include "channel.hpp"

#include <cerrno>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "control.hpp"
#include "payload_file.hpp"

namespace poolproof::detail {
namespace {

/// What is sent beyond these stays in the socket: main must not run out of descriptors because it
/// was off its processor while a worker gave many large answers.
constexpr std::size_t kMostFilesWaiting = 4;

void wake_by_message(int socket) {
  const Parcel nothing;
  // Full means that there is something to read already; a dead peer's death is reported.
  control::send(socket, &nothing, sizeof nothing);
}

}  // namespace

Channel::Parts::Parts(std::shared_ptr<RingMemory> shared)
    : memory(std::move(shared)), tasks(memory->ring()), results(memory->ring()) {}

Channel::Channel(Fd socket, std::shared_ptr<RingMemory> memory)
    : socket_(std::move(socket)), ring_(std::make_unique<Parts>(std::move(memory))) {}

bool Channel::give(const FrameHeader& header, Bytes& payload) {
  if (header.size <= kLargestInRing) return ring_->tasks.write(header, payload.view());
  if (ring_->tasks.in_hands() > 0) return false;
  const int file = payload.file_to_send().descriptor();
  FrameHeader sent = header;
  sent.carrier = Carrier::file;
  const Parcel parcel{header.task};
  // First the file, then the record: who sees the record finds the file.
  const int error = control::send(socket_.get(), &parcel, sizeof parcel, &file, 1);
  if (error == EAGAIN) return false;
  // Neither may the record go without its file, for which a worker would wait for ever, nor the
  // task wait for means that nobody tells of.
  if (control::is_shortage(error)) {
    throw std::system_error(error, std::system_category(), "poolproof: send a large payload");
  }
  return ring_->tasks.write(sent, {});  // a dead worker's death is reported
}

bool Channel::give_quit() {
  ring_->tasks.write(FrameHeader{}, {});
  return publish();
}

bool Channel::publish() {
  if (!ring_->tasks.publish()) return false;
  const Rest rest = ring_->task_waker.ring(ring_->memory->ring().for_tasks);
  if (rest == Rest::socket) wake_by_message(socket_.get());
  return true;
}

bool Channel::ready() const {
  return ring_ && ring_->memory->ring().status.ready.load(std::memory_order_acquire) != 0;
}

Channel::Incoming Channel::receive(Frame& frame) {
  Record record;
  if (distrusted_) return Incoming::nothing;
  switch (ring_->results.next(record)) {
    case ResultReader::Found::nothing:
      return Incoming::nothing;
    case ResultReader::Found::garbage:
      return Incoming::garbage;
    case ResultReader::Found::record:
      break;
  }
  if (!answers_oldest(record.header)) return Incoming::garbage;
  frame.header = record.header;
  frame.lost = nullptr;
  if (record.header.carrier == Carrier::file) {
    if (!take_file(frame)) return Incoming::garbage;
  } else {
    take_copy(record.payload, frame);
  }
  ring_->tasks.retire();
  return Incoming::frame;
}

bool Channel::answers_oldest(const FrameHeader& answer) const {
  return (answer.kind == FrameKind::value || answer.kind == FrameKind::failure) &&
         ring_->tasks.in_hands() > 0 && answer.task == ring_->tasks.oldest();
}

/// Without memory of ours left, the answer is lost, no more.
void Channel::take_copy(std::string_view payload, Frame& frame) {
  static const std::exception_ptr none = std::make_exception_ptr(std::bad_alloc());  // in time
  try {
    frame.payload = Bytes(std::string(payload));
  } catch (const std::bad_alloc&) {
    frame.lost = none;
  }
}

/// False on garbage. Without a descriptor or memory of ours left, the answer is lost, no more.
bool Channel::take_file(Frame& frame) {
  if (!read_socket() || files_.empty() || files_.front().task != frame.header.task) return false;
  ReceivedFile received = std::move(files_.front());
  files_.pop_front();
  try {
    if (!received.file.valid()) {
      throw std::system_error(EMFILE, std::system_category(), "poolproof: receive a large result");
    }
    frame.payload =
        Bytes::of_received(PayloadFile::open(std::move(received.file), frame.header.size, mappings_,
                                             std::move(received.lease))
                               .release());
  } catch (const std::invalid_argument&) {
    return false;
  } catch (...) {
    frame.lost = std::current_exception();
  }
  return true;
}

void Channel::release() {
  SharedRing& ring = ring_->memory->ring();
  ring_->results.release();
  const Rest rest = ring_->room_waker.ring(ring.for_room);
  if (rest == Rest::socket) wake_by_message(socket_.get());
}

bool Channel::read_socket() {
  Parcel parcel;
  control::Descriptors descriptors{};
  while (!ended_ && files_.size() < kMostFilesWaiting) {
    const control::Received received =
        control::receive(socket_.get(), &parcel, sizeof parcel, descriptors, false);
    for (std::size_t i = 1; i < descriptors.size(); ++i) Fd{descriptors[i]};
    Fd file(descriptors[0]);
    if (received == control::Received::nothing) return true;
    if (received == control::Received::torn) return false;
    if (received == control::Received::closed) {
      ended_ = true;
      return true;
    }
    if (parcel.task == 0) {
      rung_ = true;
      continue;
    }
    // Each comes with an answer that is still to be read, so more are not the worker's.
    if (files_.size() >= ring_->tasks.in_hands()) return false;
    files_.push_back({parcel.task, std::move(file), Lease(ring_->memory, parcel.lease)});
  }
  return true;
}

std::uint32_t Channel::arm(Rest how) {
  rung_ = false;
  return ring_->sleeper.lie_down(ring_->memory->ring().for_results, how);
}

void Channel::disarm() {
  ring_->sleeper.get_up(ring_->memory->ring().for_results);
}

void Channel::let_spin(bool may) {
  ring_->memory->ring().may_spin.store(may, std::memory_order_relaxed);
}

bool Channel::asleep() const {
  const Doorbell& bell = ring_->memory->ring().for_tasks;
  return static_cast<Rest>(bell.asleep.load(std::memory_order_relaxed) & 3) != Rest::awake;
}

void Channel::close() {
  socket_.reset();
  ring_.reset();
  files_.clear();
  mappings_.clear();
  ended_ = true;
}

void Channel::abandon() {
  socket_.reset();
  for (ReceivedFile& received : files_) received.file.reset();
}

}  // namespace poolproof::detail
