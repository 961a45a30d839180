#include "common/separate_memory.hpp"

#include <execinfo.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <string_view>

#define KOKKOS_IMPL_PUBLIC_INCLUDE
#include <impl/Kokkos_SharedAlloc_timpl.hpp>

KOKKOS_IMPL_HOST_INACCESSIBLE_SHARED_ALLOCATION_RECORD_EXPLICIT_INSTANTIATION(wafermark::SeparateMemory);

namespace wafermark {
namespace {

constexpr std::size_t page = 1 << 16;                   // of any Linux machine, or several
constexpr std::size_t reserved = std::size_t(1) << 42;  // addresses; what is not touched takes no memory

void say(std::string_view text) {  // within a signal handler
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) std::abort();
}

class Arena {
 public:
  Arena() {
    void* const begin =
        mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (begin == MAP_FAILED) throw std::bad_alloc();
    madvise(begin, reserved, MADV_NOHUGEPAGE);  // they would be split and made again for each kernel
    begin_ = end_ = static_cast<char*>(begin);
    watch_kernels();
    watch_faults();
  }

  void* allocate(const char* label, std::size_t size) {
    const std::lock_guard lock(mutex_);
    const std::size_t room = (size + page - 1) / page * page;
    if (end_ + room > begin_ + reserved) throw std::bad_alloc();
    char* const place = end_;
    end_ += room;
    views_[place] = {label, end_};
    protect(place, room, depth_ > 0);
    return place;
  }
  void deallocate(void* place) {
    const std::lock_guard lock(mutex_);
    const auto view = views_.find(static_cast<char*>(place));
    const auto room = std::size_t(view->second.end - view->first);
    madvise(place, room, MADV_DONTNEED);
    protect(place, room, false);
    views_.erase(view);
    end_ = views_.empty() ? begin_ : views_.rbegin()->second.end;  // the range to protect stays short
  }

  void open() {
    const std::lock_guard lock(mutex_);
    if (depth_++ == 0) protect(begin_, std::size_t(end_ - begin_), true);
  }
  void close() {
    const std::lock_guard lock(mutex_);
    if (--depth_ == 0) protect(begin_, std::size_t(end_ - begin_), false);
  }
  /// Opens or closes these bytes alone, where they are in it and it is closed: sooner done than all of it.
  void let(const void* place, std::size_t bytes, bool in) {
    const std::lock_guard lock(mutex_);
    char* const first = static_cast<char*>(const_cast<void*>(place));
    if (depth_ > 0 || first < begin_ || first >= end_) return;
    char* const start = begin_ + (first - begin_) / std::ptrdiff_t(page) * std::ptrdiff_t(page);
    protect(start, std::size_t(first - start) + bytes, in);
  }

 private:
  static void protect(void* place, std::size_t bytes, bool in) {
    if (bytes > 0 && mprotect(place, bytes, in ? PROT_READ | PROT_WRITE : PROT_NONE) != 0) {
      say("separate memory: mprotect failed\n");
      std::abort();
    }
  }
  static void watch_kernels();
  static void watch_faults();
  static void on_fault(int, siginfo_t* info, void*);

  std::mutex mutex_;
  int depth_ = 0;  // of scopes, kernels and copies
  char *begin_ = nullptr, *end_ = nullptr;
  struct Place {
    std::string label;
    char* end;
  };
  std::map<char*, Place> views_;  // by their first byte
};

Arena& arena() {
  static Arena* const made = new Arena;  // outlives every view
  return *made;
}

bool copying_between_spaces = false;

void begin_kernel(const char* label, std::uint32_t, std::uint64_t*) {
  if (copying_between_spaces) {
    say("separate memory: a copy between host and device by a kernel, which a GPU has not: ");
    say(label);
    say("\n");
    std::abort();
  }
  arena().open();
}
void end_kernel(std::uint64_t) { arena().close(); }
void begin_copy(Kokkos_Profiling_SpaceHandle to, const char*, const void*, Kokkos_Profiling_SpaceHandle from,
                const char* source, const void*, std::uint64_t) {
  const std::string_view what(source);
  copying_between_spaces =
      std::string_view(to.name) != from.name && what != "Scalar" && what != "(none)";  // filled by a kernel
  if (!copying_between_spaces) arena().open();
}
void end_copy() {
  if (!copying_between_spaces) arena().close();
  copying_between_spaces = false;
}

void Arena::watch_kernels() {
  namespace tools = Kokkos::Tools::Experimental;
  tools::set_begin_parallel_for_callback(begin_kernel);
  tools::set_begin_parallel_reduce_callback(begin_kernel);
  tools::set_begin_parallel_scan_callback(begin_kernel);
  tools::set_end_parallel_for_callback(end_kernel);
  tools::set_end_parallel_reduce_callback(end_kernel);
  tools::set_end_parallel_scan_callback(end_kernel);
  tools::set_begin_deep_copy_callback(begin_copy);
  tools::set_end_deep_copy_callback(end_copy);
}

void Arena::on_fault(int, siginfo_t* info, void*) {
  Arena& a = arena();
  char* const place = static_cast<char*>(info->si_addr);
  if (place >= a.begin_ && place < a.begin_ + reserved) {
    const auto next = a.views_.upper_bound(place);
    const bool known = next != a.views_.begin() && place < std::prev(next)->second.end;
    say("separate memory: host code touches device memory, view '");
    say(known ? std::prev(next)->second.label : "(freed)");
    say("'\n");
    void* frames[48];
    backtrace_symbols_fd(frames, backtrace(frames, 48), STDERR_FILENO);
  }
  std::signal(SIGSEGV, SIG_DFL);  // the access, made again, ends the program
}
void Arena::watch_faults() {
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, nullptr);
}

}  // namespace

void* SeparateMemory::allocate(const char* label, std::size_t size, std::size_t) const {
  return arena().allocate(label, size);
}
void SeparateMemory::deallocate(const char*, void* begin, std::size_t, std::size_t) const {
  arena().deallocate(begin);
}
void SeparateMemory::copy(void* to, const void* from, std::size_t bytes) {
  for (const void* place : {static_cast<const void*>(to), from}) arena().let(place, bytes, true);
  std::memmove(to, from, bytes);
  for (const void* place : {static_cast<const void*>(to), from}) arena().let(place, bytes, false);
}
SeparateMemory::Open::Open() { arena().open(); }
SeparateMemory::Open::~Open() { arena().close(); }

}  // namespace wafermark
