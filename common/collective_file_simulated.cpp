#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/collective_file.hpp"

namespace wafermark {

struct CollectiveFile::Handle {
  int descriptor = -1;
};

CollectiveFile::CollectiveFile(const Communicator& comm, const std::string& path, const std::string& name)
    : comm_(comm), name_(name), file_(std::make_unique<Handle>()) {
  file_->descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  throw_if_any(file_->descriptor < 0 ? errno : 0, "open");
}

CollectiveFile::~CollectiveFile() {
  if (file_) ::close(file_->descriptor);
}

void CollectiveFile::write_at(std::int64_t offset, const std::string& text) {
  int error = 0;
  for (std::size_t done = 0; done < text.size() && error == 0;) {
    const ssize_t n = ::pwrite(file_->descriptor, text.data() + done, text.size() - done,
                               static_cast<off_t>(offset) + static_cast<off_t>(done));
    if (n > 0)
      done += static_cast<std::size_t>(n);
    else if (errno != EINTR)
      error = n == 0 ? ENOSPC : errno;
  }
  throw_if_any(error, "pwrite");
}

void CollectiveFile::close() {
  const int synced = ::fsync(file_->descriptor) == 0 ? 0 : errno;
  const int closed = ::close(file_->descriptor) == 0 ? 0 : errno;
  file_.reset();
  throw_if_any(synced != 0 ? synced : closed, "fsync");
}

void CollectiveFile::throw_if_any(int code, const char* call) const {
  comm_.throw_together(code != 0, fmt::format("{}: cannot be written: rank {} of {}: {}: {}", name_,
                                              comm_.rank(), comm_.size(), call, std::strerror(code)));
}

}  // namespace wafermark
