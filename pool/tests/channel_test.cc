#include "channel.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>

#include "support.hpp"
#include "worker_channel.hpp"

// Main's end of a channel and the worker's, both in one process.
namespace poolproof::testing {
namespace {

using namespace detail;

constexpr std::size_t kLarge = 2 * kLargestInRing;  // by file

class BothEnds {
 public:
  BothEnds() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) throw errno;
    socket_ = Fd(ends[1]);
    Fd file;
    auto memory = RingMemory::create(file);
    main = Channel(Fd(ends[0]), memory);
    worker = std::make_unique<WorkerChannel>(socket_.get(), memory->ring());
    worker->set_ready();
  }

  void give(int tasks) {
    for (int i = 0; i < tasks; ++i) {
      FrameHeader header;
      header.kind = FrameKind::task;
      header.task = ++given_;
      Bytes nothing;
      ASSERT_TRUE(main.give(header, nothing));
    }
    ASSERT_TRUE(main.publish());
  }

  /// The worker takes its next task and answers it.
  void answer(std::size_t size) {
    FrameHeader header;
    header.kind = FrameKind::value;
    header.task = worker->next().header.task;
    Bytes payload(std::string(size, static_cast<char>('a' + header.task)));
    worker->answer(header, payload);
  }

  /// The size of the answer to `task`, if that is what comes and it is intact.
  std::size_t received(std::uint64_t task) {
    Frame frame;
    if (main.receive(frame) != Channel::Incoming::frame || frame.header.task != task) return 0;
    const auto view = frame.payload.view();
    const std::string wanted(view.size(), static_cast<char>('a' + task));
    return view == wanted ? view.size() : 0;
  }

  Channel main;
  std::unique_ptr<WorkerChannel> worker;

 private:
  Fd socket_;
  std::uint64_t given_ = 0;
};

/// Main may be off its processor, or forking, for as long as it takes a worker to give them.
TEST(Channel, TakesManyLargeAnswersThatHaveWaited) {
  constexpr int kTasks = 40;
  BothEnds ends;
  ends.give(kTasks);
  for (int i = 0; i < kTasks; ++i) ends.answer(kLarge);
  ASSERT_TRUE(ends.main.read_socket());
  for (std::uint64_t task = 1; task <= kTasks; ++task) EXPECT_EQ(ends.received(task), kLarge);
  Frame frame;
  EXPECT_EQ(ends.main.receive(frame), Channel::Incoming::nothing);
}

/// Neither do they use up main's descriptors meanwhile.
TEST(Channel, LeavesFilesInTheSocketUntilTheyAreNeeded) {
  BothEnds ends;
  ends.give(40);
  for (int i = 0; i < 40; ++i) ends.answer(kLarge);
  const int before = open_descriptors();
  ASSERT_TRUE(ends.main.read_socket());
  EXPECT_LE(open_descriptors(), before + 4);
}

TEST(Channel, RefusesAFileThatNoTaskCanHaveSent) {
  BothEnds ends;
  ends.give(1);
  ends.answer(kLarge);
  ASSERT_TRUE(ends.main.read_socket());
  Bytes payload(std::string(kLarge, 'x'));
  FrameHeader header;
  header.kind = FrameKind::value;
  header.task = 1;
  ends.worker->answer(header, payload);
  EXPECT_FALSE(ends.main.read_socket());
}

/// Whoever reads the first answer takes the ring from the socket as well; the worker does not ring
/// for the second, so that the reader has to arm anew.
TEST(Channel, TellsThatARingWasTakenWithALargeAnswer) {
  BothEnds ends;
  ends.give(3);
  ends.answer(kLarge);
  ends.main.arm(Rest::socket);
  EXPECT_FALSE(ends.main.rung());
  ends.answer(1);
  EXPECT_EQ(ends.received(1), kLarge);
  EXPECT_TRUE(ends.main.rung());
  EXPECT_EQ(ends.received(2), 1U);
  ends.main.arm(Rest::socket);
  EXPECT_FALSE(ends.main.rung());
}

}  // namespace
}  // namespace poolproof::testing
