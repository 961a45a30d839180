// Work in a process of its own: what it sends comes back, a crash or an endless loop is no answer.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "common/guarded_process.hpp"

namespace wafermark {
namespace {

TEST(GuardedProcess, WhatIsSentComesBack) {
  const auto sent = run_guarded([](int to) { return ::write(to, "a\0b", 3) == 3 ? 0 : 1; }, 3);
  EXPECT_EQ(sent, std::string("a\0b", 3));
}

TEST(GuardedProcess, AFailureIsNoAnswer) {
  EXPECT_EQ(run_guarded([](int) { return 1; }, 3), std::nullopt);
}

TEST(GuardedProcess, ACrashIsNoAnswer) {
  EXPECT_EQ(run_guarded([](int) { return std::raise(SIGSEGV); }, 3), std::nullopt);
}

TEST(GuardedProcess, AnEndlessLoopIsNoAnswer) {
  const auto loop = [](int) {
    for (volatile bool on = true; on;) continue;
    return 0;
  };
  EXPECT_EQ(run_guarded(loop, 1), std::nullopt);
}

}  // namespace
}  // namespace wafermark
