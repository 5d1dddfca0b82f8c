#include "harness/warden/messages.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace poolproof::warden {
namespace {

using namespace std::chrono_literals;

TEST(Messages, HelloComesThrough) {
  const auto back = hello_from_line(to_line(Hello{2, "exact", "rung 1: \"no\"\nand why"}));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->rung, 2);
  EXPECT_EQ(back->name, "exact");
  EXPECT_EQ(back->why_not, "rung 1: \"no\"\nand why");
}

TEST(Messages, RequestComesThrough) {
  Request request;
  request.command = {"/bin/sh", "-c", "echo 'a\nb'"};
  request.scenario = "{\"steps\": []}";
  request.settings = {.grace = 1ms, .fuse = 2ms, .max_births = 3, .data_bytes = 4, .file_bytes = 5};
  request.prompt_steps = {0, 7};
  request.waiting_steps = {3};
  request.hold = true;
  request.snapshot_steps = {8};
  request.fresh = true;
  request.processors = 2;
  request.inherits = {harness::Inherited::kSigchldIgnored, harness::Inherited::kStdinClosed};
  request.fault = *harness::fault_from_string("main.1:read(pipe):2=SIGKILL");
  const auto line = to_line(request);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const auto back = request_from_line(line);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->command, request.command);
  EXPECT_EQ(back->scenario, request.scenario);
  EXPECT_EQ(back->settings, request.settings);
  EXPECT_EQ(back->prompt_steps, request.prompt_steps);
  EXPECT_EQ(back->waiting_steps, request.waiting_steps);
  EXPECT_EQ(back->hold, request.hold);
  EXPECT_EQ(back->snapshot_steps, request.snapshot_steps);
  EXPECT_TRUE(back->fresh);
  EXPECT_EQ(back->processors, 2);
  EXPECT_EQ(back->inherits, request.inherits);
  EXPECT_EQ(back->fault, request.fault);
}

TEST(Messages, ArgumentsThatAreNoTextMakeNoException) {
  Request request;
  request.command = {"/tmp/\xff\xfe"};
  EXPECT_TRUE(request_from_line(to_line(request)));
  EXPECT_TRUE(hello_from_line(to_line(Hello{1, "\xff", "\xc3("})));
}

TEST(Messages, NonsenseIsAnError) {
  EXPECT_FALSE(hello_from_line("hello"));
  EXPECT_FALSE(hello_from_line("{\"rung\": \"one\"}"));
  EXPECT_FALSE(request_from_line("{}"));
  EXPECT_FALSE(request_from_line("[]"));
}

/// A runner that is newer than its warden asks for what nobody would do.
TEST(Messages, NothingThatIsAskedForIsLeftOut) {
  const auto line = to_line(Request{});
  const auto with = [&](const std::string& what, const std::string& instead) {
    auto changed = line;
    return changed.replace(changed.find(what), what.size(), instead);
  };
  EXPECT_TRUE(request_from_line(line));
  for (const auto& asked :
       {with("{", "{\"louder\":true,"), with("\"inherits\":[]", "\"inherits\":[\"money\"]"),
        with("\"fault\":\"\"", "\"fault\":\"main:pray:1=SIGKILL\"")}) {
    const auto request = request_from_line(asked);
    ASSERT_FALSE(request) << asked;
    EXPECT_NE(request.error().message().find("another build"), std::string::npos);
  }
}

TEST(Messages, FrameSaysWhatAndHowMuch) {
  EXPECT_EQ(to_frame(sys::Error("no\nwork")), "error 7\nno\nwork");
  const auto frame = to_frame(harness::Trace{});
  const auto body = harness::to_json_lines(harness::Trace{});
  EXPECT_EQ(frame, "trace " + std::to_string(body.size()) + "\n" + body);
}

}  // namespace
}  // namespace poolproof::warden
