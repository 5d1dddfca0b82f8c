#include "harness/fault.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

namespace poolproof::harness {
namespace {

TEST(Fault, ReadsAsItIsWritten) {
  for (const char* token :
       {"main:read(pipe):2=SIGKILL", "main.1.12:*:17=SIGTERM", "main:clone:1=EAGAIN",
        "main:clone:3+=EAGAIN", "main:*:3=errno", "main.1:*:3=stop:200", "main:read:1=delay:50",
        "main:before-step:3=SIGINT", "main:after-step:1=delay:5", "worker:task:2=stop:20",
        "worker:task:2=delay:20", "worker2:read(pipe):1=SIGKILL", "group:before-step:2=SIGINT",
        "main:before-step:2=limit:files", "main:task:1=limit:memory",
        "main:after-step:1=limit:processes", "main:before-step:3=reuse:pids",
        "main:before-step:2=close-stdout"}) {
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
  for (const char* token : {"",
                            "main",
                            "main:read:1",
                            "main:read=SIGKILL",
                            "worker:read:1=SIGKILL",
                            "main.:read:1=SIGKILL",
                            "main.0:read:1=SIGKILL",
                            "mainly:read:1=SIGKILL",
                            "main:re ad:1=SIGKILL",
                            "main:read(pipe:1=SIGKILL",
                            "main:*(pipe):1=SIGKILL",
                            "main:read:0=SIGKILL",
                            "main:read:x=SIGKILL",
                            "main:read:9999999999=SIGKILL",
                            "main:read:1=SIGNOT",
                            "main:read:1=",
                            "main:read:1=stop:",
                            "main:read:1=stop:-5",
                            "main:read:1=delay:",
                            "main:no_such_call:1=SIGKILL",
                            "main:before-step:1=EAGAIN",
                            "main:task:1=errno",
                            "main:read:1+=SIGKILL",
                            "main:before-step(pipe):1=SIGKILL",
                            "worker:before-step:1=SIGKILL",
                            "worker0:read:1=SIGKILL",
                            "group:read:1=SIGKILL",
                            "group:task:1=limit:files",
                            "worker:before-step:1=delay:5",
                            "main:task:1=delay:5",
                            "main:read:1=limit:",
                            "main:read:1=limit:time"}) {
    const auto fault = fault_from_string(token);
    ASSERT_FALSE(fault) << token;
    EXPECT_EQ(fault.error().message().find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace poolproof::harness
