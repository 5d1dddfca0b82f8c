#include "harness/fault.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

namespace poolproof::harness {
namespace {

TEST(Fault, ReadsAsItIsWritten) {
  for (const char* token : {"main:read(pipe):2=SIGKILL", "main.1.12:*:17=SIGTERM",
                            "main:clone:1=EAGAIN", "main.1:*:3=stop:200"}) {
    const auto fault = fault_from_string(token);
    ASSERT_TRUE(fault) << fault.error().message();
    EXPECT_EQ(to_string(*fault), token);
  }
}

TEST(Fault, HasItsParts) {
  const auto fault = fault_from_string("main.1:write(socket):3=EPIPE");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->who, "main.1");
  EXPECT_EQ(fault->call, "write");
  EXPECT_EQ(fault->target, "socket");
  EXPECT_EQ(fault->nth, 3);
  EXPECT_EQ(fault->action, Fault::Action::kErrno);
  EXPECT_EQ(fault->number, EPIPE);
  EXPECT_EQ(trigger_text(*fault), "main.1:write(socket):3");
}

TEST(Fault, IsRefusedInOneLineWhereAPartIsWrong) {
  for (const char* token :
       {"", "main", "main:read:1", "main:read=SIGKILL", "worker:read:1=SIGKILL",
        "main.:read:1=SIGKILL", "main.0:read:1=SIGKILL", "mainly:read:1=SIGKILL",
        "main:re ad:1=SIGKILL", "main:read(pipe:1=SIGKILL", "main:*(pipe):1=SIGKILL",
        "main:read:0=SIGKILL", "main:read:x=SIGKILL", "main:read:9999999999=SIGKILL",
        "main:read:1=SIGNOT", "main:read:1=", "main:read:1=stop:", "main:read:1=stop:-5"}) {
    const auto fault = fault_from_string(token);
    ASSERT_FALSE(fault) << token;
    EXPECT_EQ(fault.error().message().find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace poolproof::harness
