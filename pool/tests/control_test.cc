#include "control.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "fd.hpp"

namespace poolproof::detail::control {
namespace {

TEST(Control, WhatADeadPeerHasSentArrivesThoughItHadNotReadAll) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  const Fd ours(ends[0]);
  Fd theirs(ends[1]);
  const int unread = 1;
  ASSERT_EQ(send(ours.get(), &unread, sizeof unread), 0);
  for (const int sent : {2, 3}) ASSERT_EQ(send(theirs.get(), &sent, sizeof sent), 0);
  theirs.reset();
  int got = 0;
  Descriptors descriptors{};
  for (const int expected : {2, 3}) {
    ASSERT_EQ(receive(ours.get(), &got, sizeof got, descriptors, false), Received::message);
    EXPECT_EQ(got, expected);
  }
  EXPECT_EQ(receive(ours.get(), &got, sizeof got, descriptors, false), Received::closed);
}

}  // namespace
}  // namespace poolproof::detail::control
