// hdf5_file.hpp in a build without the library: no file can be opened, and so nothing else is ever called.
#include <fmt/format.h>

#include "common/hdf5_file.hpp"
#include "common/hdf5_types.hpp"

namespace wafermark {
namespace {

[[noreturn]] void refuse(const std::string& path) {
  throw InputError(fmt::format(
      "{}: this build has no HDF5, expected other output (text trajectories, no checkpoints)", path));
}

}  // namespace

bool has_hdf5() { return false; }
bool hdf5_files_are_open() { return false; }

Rows Rows::of(const Communicator& comm, std::uint64_t count) {
  return {static_cast<std::uint64_t>(comm.sum(static_cast<std::int64_t>(count))),
          static_cast<std::uint64_t>(comm.exclusive_scan(static_cast<std::int64_t>(count))), count};
}

Hdf5File Hdf5File::create(const Communicator&, const std::string& path) { refuse(path); }
Hdf5File Hdf5File::open(const Communicator&, const std::string& path) { refuse(path); }
Hdf5File Hdf5File::open_to_append(const Communicator&, const std::string& path) { refuse(path); }

Hdf5File::~Hdf5File() = default;
Hdf5File::Hdf5File(Hdf5File&&) noexcept = default;

void Hdf5File::commit(const std::string&) { refuse(path_); }
void Hdf5File::close() { refuse(path_); }
void Hdf5File::flush() { refuse(path_); }
bool Hdf5File::exists(const std::string&) const { refuse(path_); }
std::vector<std::string> Hdf5File::children(const std::string&) const { refuse(path_); }
void Hdf5File::make_group(const std::string&) { refuse(path_); }
void Hdf5File::link(const std::string&, const std::string&) { refuse(path_); }
void Hdf5File::set_attribute(const std::string&, const std::string&, const std::string&, TextLayout) {
  refuse(path_);
}
void Hdf5File::set_attribute(const std::string&, const std::string&, const std::vector<std::string>&,
                             TextLayout) {
  refuse(path_);
}
bool Hdf5File::has_attribute(const std::string&, const std::string&) const { refuse(path_); }
std::string Hdf5File::text_attribute(const std::string&, const std::string&) const { refuse(path_); }
std::vector<std::string> Hdf5File::text_list_attribute(const std::string&, const std::string&) const {
  refuse(path_);
}
std::vector<std::uint64_t> Hdf5File::shape(const std::string&) const { refuse(path_); }
void Hdf5File::truncate_frames(const std::string&, std::uint64_t) { refuse(path_); }
void Hdf5File::reject(const std::string&, const std::string&) const { refuse(path_); }

template <class T>
void Hdf5File::set_attribute(const std::string&, const std::string&, const T&) {
  refuse(path_);
}
template <class T>
void Hdf5File::set_attribute(const std::string&, const std::string&, const std::vector<T>&) {
  refuse(path_);
}
template <class T>
T Hdf5File::attribute(const std::string&, const std::string&) const {
  refuse(path_);
}
template <class T>
std::vector<T> Hdf5File::attribute_list(const std::string&, const std::string&) const {
  refuse(path_);
}
template <class T>
void Hdf5File::make_array(const std::string&, std::uint64_t, std::uint64_t, bool) {
  refuse(path_);
}
template <class T>
void Hdf5File::write_rows(const std::string&, const T*, const Rows&, std::uint64_t) {
  refuse(path_);
}
template <class T>
void Hdf5File::write(const std::string&, const std::vector<T>&, const Rows&, std::uint64_t, bool) {
  refuse(path_);
}
template <class T>
std::vector<T> Hdf5File::read(const std::string&, const Rows&, std::uint64_t) const {
  refuse(path_);
}
template <class T>
void Hdf5File::append_frame(const std::string&, const std::vector<T>&, const Rows&, std::uint64_t) {
  refuse(path_);
}
template <class T>
void Hdf5File::append_scalar(const std::string&, T) {
  refuse(path_);
}
template <class T>
std::vector<T> Hdf5File::read_frame(const std::string&, std::uint64_t, const Rows&, std::uint64_t) const {
  refuse(path_);
}
template <class T>
std::vector<T> Hdf5File::read_scalars(const std::string&) const {
  refuse(path_);
}

WAFERMARK_HDF5_FOR_EACH_TYPE(WAFERMARK_HDF5_ATTRIBUTES);
WAFERMARK_HDF5_FOR_EACH_TYPE(WAFERMARK_HDF5_DATA_SETS);

}  // namespace wafermark
