#include "worker_channel.hpp"

#include <poll.h>

#include <cerrno>
#include <system_error>

#include "control.hpp"
#include "lifeline.hpp"
#include "payload_file.hpp"
#include "worker_sleep.hpp"

namespace poolproof::detail {

WorkerChannel::WorkerChannel(int socket, SharedRing& ring)
    : socket_(socket), ring_(ring), tasks_(ring), results_(ring) {}

void WorkerChannel::set_ready() {
  ring_.status.ready.store(1, std::memory_order_release);
}

WorkerChannel::Task WorkerChannel::next() {
  arguments_.clear();
  Record record;
  if (!tasks_.begin(record)) await_task(record);
  if (record.header.carrier == Carrier::ring) return {record.header, record.payload, nullptr};
  try {
    take_file(record.header);
    return {record.header, arguments_.view(), nullptr};
  } catch (...) {  // neither a descriptor for it nor memory: it fails alone
    return {record.header, {}, std::current_exception()};
  }
}

/// Who has nothing to do for long needs none for large payloads.
void WorkerChannel::keep_no_memory() {
  mappings_.clear();
  KeptFiles::let_go();
}

/// Takes one message: of a sleep's end, perhaps of one long past, or with a file.
void WorkerChannel::await_message() {
  Parcel parcel;
  control::Descriptors descriptors{};
  if (control::receive(socket_, &parcel, sizeof parcel, descriptors, true) !=
      control::Received::message) {
    lifeline::channel_lost();
  }
  if (parcel.task == 0) return;
  file_.reset(descriptors[0]);  // -1 if tasks have left no number free
  file_task_ = parcel.task;
}

void WorkerChannel::take_file(const FrameHeader& header) {
  while (file_task_ != header.task) await_message();
  file_task_ = 0;
  if (!file_.valid()) {
    throw std::system_error(EMFILE, std::system_category(), "poolproof: receive a large payload");
  }
  arguments_ = Bytes::of_received(
      PayloadFile::open(std::move(file_), header.size, mappings_, Lease()).release());
}

/// A place in the ring's leases, plus 1; 0 if main still reads all that it has.
std::uint64_t WorkerChannel::free_lease() {
  for (std::size_t i = 0; i < ring_.leases.size(); ++i) {
    if (ring_.leases[i].load(std::memory_order_acquire) == 0) return i + 1;
  }
  return 0;
}

void WorkerChannel::send_file(std::uint64_t task, PayloadFile& file) {
  const Parcel parcel{task, free_lease()};
  if (parcel.lease == 0) {
    file.lend(nullptr);
  } else {
    ring_.leases[parcel.lease - 1].store(1, std::memory_order_relaxed);  // the socket publishes it
    file.lend(&ring_.leases[parcel.lease - 1]);
  }
  const int descriptor = file.descriptor();
  while (const int error = control::send(socket_, &parcel, sizeof parcel, &descriptor, 1)) {
    if (control::is_shortage(error)) {
      if (parcel.lease != 0) ring_.leases[parcel.lease - 1].store(0, std::memory_order_release);
      file.lend(nullptr);
      throw std::system_error(error, std::system_category(), "poolproof: send a large result");
    }
    if (error != EAGAIN) lifeline::channel_lost();
    pollfd room{socket_, POLLOUT, 0};  // main reads, so it goes on
    ::poll(&room, 1, -1);
  }
}

void WorkerChannel::answer(FrameHeader header, Bytes& payload) {
  // Else main might sleep for an answer that it is not told of; our death it hears of.
  if (!results_.intact()) lifeline::channel_lost();
  header.size = payload.size();
  std::string_view in_ring;
  if (header.size > kLargestInRing) {
    send_file(header.task, payload.file_to_send());
    header.carrier = Carrier::file;
  } else {
    in_ring = payload.view();
  }
  while (!results_.write(header, in_ring)) {
    sleep_until(ring_.for_room, [&] { return results_.has_room(in_ring.size()); });
  }
  wake_main();
}

void WorkerChannel::wake_main() {
  if (waker_.ring(ring_.for_results) != Rest::socket) return;
  const Parcel nothing;
  const int error = control::send(socket_, &nothing, sizeof nothing);
  // Full means that main has something to read already.
  if (error != 0 && error != EAGAIN) lifeline::channel_lost();
}

}  // namespace poolproof::detail
