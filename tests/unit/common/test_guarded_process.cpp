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

TEST(GuardedProcess, RequestsToEndAreTheParentsBusiness) {
  const auto work = [](int to) {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) std::raise(signal);
    return ::write(to, "done", 4) == 4 ? 0 : 1;
  };
  EXPECT_EQ(run_guarded(work, 3), std::string("done"));
}

TEST(GuardedProcess, KilledFromOutsideItIsBegunAgain) {
  for (const int signal : {SIGKILL, SIGXCPU}) {
    int ends[2];  // counts the processes: their memory is their own
    ASSERT_EQ(::pipe(ends), 0);
    const auto killed_twice = [&](int to) {
      if (::write(ends[1], "x", 1) != 1) return 1;
      char seen[8];
      const auto begun = ::read(ends[0], seen, sizeof seen);
      if (::write(ends[1], seen, static_cast<std::size_t>(begun)) != begun) return 1;
      if (begun < 3) std::raise(signal);
      return ::write(to, "done", 4) == 4 ? 0 : 1;
    };
    EXPECT_EQ(run_guarded(killed_twice, 5), std::string("done"));
    const auto always = [&](int) { return std::raise(signal); };
    EXPECT_EQ(run_guarded(always, 5), std::nullopt);
    for (const int end : ends) ::close(end);
  }
}

}  // namespace
}  // namespace wafermark
