#include "common/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace wafermark {
namespace {

constexpr std::chrono::duration<double> terminal_interval{0.5}, log_interval{30.0};

std::string duration_text(double seconds) {
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace

Progress::Progress(std::string what, double total, bool visible, std::FILE* out)
    : what_(std::move(what)),
      total_(total),
      visible_(visible),
      terminal_(isatty(fileno(out)) != 0),
      out_(out),
      start_(std::chrono::steady_clock::now()),
      next_(start_),
      interval_(terminal_ ? terminal_interval : log_interval) {
  next_ += std::chrono::duration_cast<std::chrono::steady_clock::duration>(interval_);
}

Progress::~Progress() {
  if (open_line_) std::fputs("\r\x1b[K", out_);
}

std::string Progress::line(double done, double seconds, const std::string& note) const {
  const double rate = seconds > 0 ? done / seconds : 0.0;
  std::string text = fmt::format("{:.5g} of {:.5g} {} ({:.0f} %), {:.4g} {}/s", done, total_, what_,
                                 100.0 * done / std::max(total_, 1.0), rate, what_);
  if (rate > 0) text += ", " + duration_text((total_ - done) / rate) + " left";
  if (!note.empty()) text += ", " + note;
  return text;
}

void Progress::update(double done, const std::string& note) {
  if (!visible_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::duration_cast<std::chrono::steady_clock::duration>(interval_);
  const std::string text = line(done, std::chrono::duration<double>(now - start_).count(), note);
  std::fputs((terminal_ ? "\r\x1b[K" + text : text + "\n").c_str(), out_);
  std::fflush(out_);
  open_line_ = terminal_;
}

}  // namespace wafermark
