#include "harness/warden/packet.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/sys/proc.h"

namespace poolproof::warden {
namespace {

TEST(Packet, CarriesBytesDescriptorsAndSender) {
  auto pair = packet_pair();
  ASSERT_TRUE(pair);
  ASSERT_TRUE(ask_for_sender(pair->first.get()));
  auto pipe = sys::make_pipe();
  ASSERT_TRUE(pipe);
  ASSERT_TRUE(send_packet(pair->second.get(), "hello", {pipe->read.get(), pipe->write.get()}));
  const auto packet = receive_packet(pair->first.get());
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->bytes, "hello");
  EXPECT_EQ(packet->sender, ::getpid());
  ASSERT_EQ(packet->descriptors.size(), 2U);
  EXPECT_EQ(sys::descriptor_inode(::getpid(), packet->descriptors[0].get()),
            sys::descriptor_inode(::getpid(), pipe->read.get()));
}

TEST(Packet, KeepsMessagesApart) {
  auto pair = packet_pair();
  ASSERT_TRUE(pair);
  ASSERT_TRUE(send_packet(pair->first.get(), "one"));
  ASSERT_TRUE(send_packet(pair->first.get(), "two"));
  EXPECT_EQ(receive_packet(pair->second.get())->bytes, "one");
  EXPECT_EQ(receive_packet(pair->second.get())->bytes, "two");
}

TEST(Packet, IsEmptyWhenThePeerIsGone) {
  auto pair = packet_pair();
  ASSERT_TRUE(pair);
  pair->first.reset();
  const auto packet = receive_packet(pair->second.get());
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->bytes, "");
  EXPECT_FALSE(send_packet(pair->second.get(), "to nobody"));
}

TEST(Packet, RefusesWhatIsTooLong) {
  auto pair = packet_pair();
  ASSERT_TRUE(pair);
  EXPECT_FALSE(send_packet(pair->first.get(), std::string(10 << 20, 'x')));
}

TEST(Packet, LeaksNoDescriptors) {
  const auto before = sys::descriptor_count(::getpid());
  {
    auto pair = packet_pair();
    ASSERT_TRUE(pair);
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(send_packet(pair->first.get(), "x", {0, 1, 2}));
      ASSERT_TRUE(receive_packet(pair->second.get()));
    }
  }
  EXPECT_EQ(sys::descriptor_count(::getpid()), before);
}

}  // namespace
}  // namespace poolproof::warden
