// How far a long run has come: one updating line on a terminal, a plain line now and then in a log.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

namespace wafermark {

class Progress {
 public:
  /// `what`: the unit of work ("steps"); `total` units; `visible`: rank 0 only. Writes to `out`.
  Progress(std::string what, double total, bool visible, std::FILE* out = stderr);
  /// Ends the updating line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of `total`, and a short note ("0.31 ps"). Costs a clock read unless a line is due.
  void update(double done, const std::string& note = "");
  /// The line for `done` units after `seconds`: "123 of 1000 steps (12 %), 45.6 steps/s, 19 s left, note".
  std::string line(double done, double seconds, const std::string& note) const;

 private:
  std::string what_;
  double total_;
  bool visible_, terminal_;
  std::FILE* out_;
  bool open_line_ = false;
  std::chrono::steady_clock::time_point start_, next_;
  std::chrono::duration<double> interval_;
};

}  // namespace wafermark
