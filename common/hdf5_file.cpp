#include "common/hdf5_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "common/durable_file.hpp"
#include "common/errors.hpp"
#include "common/hdf5_handle.hpp"
#include "common/hdf5_probe.hpp"
#include "common/hdf5_types.hpp"
#include "common/write_watch.hpp"

namespace wafermark {
namespace {

static_assert(std::is_same_v<Hdf5Id, hid_t>);

/// The library prints every error it returns; we report them ourselves.
void silence() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

Handle collective_transfer() {
  const hid_t plist = H5Pcreate(H5P_DATASET_XFER);
  H5Pset_dxpl_mpio(plist, H5FD_MPIO_COLLECTIVE);
  return {plist, H5Pclose};
}

Handle parallel_access(MPI_Comm comm) {
  const hid_t plist = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_mpio(plist, comm, MPI_INFO_NULL);
  H5Pset_fclose_degree(plist, H5F_CLOSE_STRONG);
  return {plist, H5Pclose};
}

/// For reading: each rank by itself, so that nothing is collective, closing least of all. No locks: some
/// parallel file systems have none, and a run may be writing.
Handle independent_access() {
  const hid_t plist = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fclose_degree(plist, H5F_CLOSE_STRONG);
  H5Pset_file_locking(plist, false, true);
  return {plist, H5Pclose};
}

/// Selects this rank's block of a file space; a rank without rows selects nothing.
void select(hid_t space, const std::vector<hsize_t>& start, const std::vector<hsize_t>& count) {
  if (std::find(count.begin(), count.end(), hsize_t{0}) != count.end())
    H5Sselect_none(space);
  else
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
}

Handle memory_space(const std::vector<hsize_t>& count) {
  const hid_t space = H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr);
  if (std::find(count.begin(), count.end(), hsize_t{0}) != count.end()) H5Sselect_none(space);
  return {space, H5Sclose};
}

std::vector<hsize_t> with_columns(std::initializer_list<std::uint64_t> dims, std::uint64_t columns) {
  std::vector<hsize_t> d(dims.begin(), dims.end());
  if (columns > 0) d.push_back(columns);
  return d;
}

constexpr std::uint64_t largest_chunk_rows = 1 << 16;
/// Room for the library's own structures around an array.
constexpr std::int64_t structure_bytes = 1 << 16;
/// Of deflate, the best of HDF5's usual filters: 1032 to 1.
constexpr double most_compression = 1100.0;
/// Arrays up to this may lie in the file as their fill value only.
constexpr double unstored_bytes = 1 << 20;

}  // namespace

bool has_hdf5() { return true; }

bool hdf5_files_are_open() { return H5Fget_obj_count(static_cast<hid_t>(H5F_OBJ_ALL), H5F_OBJ_FILE) > 0; }

Rows Rows::of(const Communicator& comm, std::uint64_t count) {
  return {static_cast<std::uint64_t>(comm.sum(static_cast<std::int64_t>(count))),
          static_cast<std::uint64_t>(comm.exclusive_scan(static_cast<std::int64_t>(count))), count};
}

Hdf5File::Hdf5File(const Communicator& comm, std::string path, std::string final_path)
    : comm_(&comm), path_(std::move(path)), final_path_(std::move(final_path)) {
  silence();
}

Hdf5File Hdf5File::create(const Communicator& comm, const std::string& path) {
  Hdf5File f(comm, path + ".tmp", path);
  f.writable_ = true;
  const Handle access = parallel_access(comm.raw());
  f.file_ = H5Fcreate(f.path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
  comm.throw_together(f.file_ < 0,
                      fmt::format("{}: cannot be created, expected a writable folder with space", path));
  watch_writes(comm, f.file_, path);
  f.reserve("data", 0);
  return f;
}

namespace {
constexpr const char* unreadable = "HDF5 cannot open it: damaged, cut off, or no permission";

/// Rank 0 looks first: opened together, ranks wait for ever for one that finds the first group damaged.
void expect_hdf5(const Communicator& comm, const std::string& path) {
  silence();
  std::error_code none;
  std::string problem;
  if (comm.is_root()) {
    if (!std::filesystem::is_regular_file(path, none)) {
      problem = "found no such file, expected an HDF5 file";
    } else if (H5Fis_hdf5(path.c_str()) <= 0) {
      problem = "found another kind of file, expected HDF5";
    } else if (!survives_reading(path)) {
      problem = "HDF5 crashes or never ends on it: its structure is damaged";
    } else {
      const Handle alone = independent_access();
      const Handle tried(H5Fopen(path.c_str(), H5F_ACC_RDONLY, alone), H5Fclose);
      if (!tried.good()) problem = unreadable;
    }
  }
  comm.throw_together(!problem.empty(), fmt::format("{}: {}", path, problem));
}
}  // namespace

Hdf5File Hdf5File::open(const Communicator& comm, const std::string& path) {
  Hdf5File f(comm, path, "");
  expect_hdf5(comm, path);
  const Handle access = independent_access();
  f.file_ = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access);
  comm.throw_together(f.file_ < 0, fmt::format("{}: {}", path, unreadable));
  return f;
}

Hdf5File Hdf5File::open_to_append(const Communicator& comm, const std::string& path) {
  Hdf5File f(comm, path, "");
  expect_hdf5(comm, path);
  f.writable_ = true;
  const Handle access = parallel_access(comm.raw());
  f.file_ = H5Fopen(path.c_str(), H5F_ACC_RDWR, access);
  comm.throw_together(f.file_ < 0, fmt::format("{}: {}", path, unreadable));
  watch_writes(comm, f.file_, path);
  return f;
}

Hdf5File::Hdf5File(Hdf5File&& o) noexcept
    : comm_(o.comm_),
      path_(std::move(o.path_)),
      final_path_(std::exchange(o.final_path_, "")),
      file_(std::exchange(o.file_, -1)),
      writable_(o.writable_) {}

Hdf5File::~Hdf5File() {
  if (file_ < 0) return;
  // Closing a file that is written is collective. While an exception unwinds, the other ranks may be waiting
  // in quite another call: the file stays open, and the end of the program closes or drops it.
  const bool unwinding = std::uncaught_exceptions() > exceptions_;
  if (!writable_ || !unwinding) H5Fclose(file_);
  if (!final_path_.empty() && (unwinding || comm_->is_root())) std::remove(path_.c_str());
}

void Hdf5File::commit(const std::string& former_becomes) {
  flush();
  agree_written(H5Fclose(std::exchange(file_, -1)) >= 0, "data");
  std::string problem;
  const std::string name = std::exchange(final_path_, "");
  if (comm_->is_root()) try {
      std::error_code none;
      const bool former = !former_becomes.empty() && std::filesystem::exists(name, none);
      if (former) rename_durably(name, former_becomes);
      put_in_place(path_, name);
    } catch (const std::exception& e) {
      problem = message_of(e);
    }
  comm_->fail_together(!problem.empty(), problem);
}

void Hdf5File::close() {
  if (file_ >= 0) agree_written(H5Fclose(std::exchange(file_, -1)) >= 0, "data");
}

void Hdf5File::flush() { agree_written(H5Fflush(file_, H5F_SCOPE_GLOBAL) >= 0, "data"); }

void Hdf5File::reject(const std::string& object, const std::string& what) const {
  throw InputError(fmt::format("{}: {}: {}", path_, object, what));
}

void Hdf5File::agree_written(bool good, const std::string& object, const std::string& why) {
  good = good && !write_failed();
  const std::string message =
      fmt::format("{}: {} cannot be written: {}", final_path_.empty() ? path_ : final_path_, object, why);
  if (!good) note_write_failure(message);
  const bool all_good = comm_->min(good ? 1 : 0) == 1;
  settle_writes();
  if (all_good) return;
  abandon();
  comm_->fail_together(!good, message);
}

void Hdf5File::abandon() {
  const bool temporary = !final_path_.empty();
  const hid_t file = std::exchange(file_, -1);
  // One rank: emptied first, the file has room for what the library still holds of it. Closing one on a full
  // disk fails, is tried again at the end of the program, and crashes it. Several ranks: the library's
  // collectives may be out of step, so that closing waits for ever; the file stays open, and run_program ends
  // without MPI_Finalize.
  if (comm_->size() == 1) {
    if (temporary && ::truncate(path_.c_str(), 0) != 0) std::remove(path_.c_str());
    if (file >= 0) H5Fclose(file);
  }
  if (temporary && comm_->is_root()) std::remove(path_.c_str());
  final_path_.clear();
}

void Hdf5File::reserve(const std::string& object, std::uint64_t bytes) {
  std::string problem;
  hsize_t size = 0;
  if (comm_->is_root() && H5Fget_filesize(file_, &size) >= 0)
    problem = reserve_room(path_, static_cast<std::int64_t>(size),
                           static_cast<std::int64_t>(bytes + bytes / 64) + structure_bytes);
  agree_written(problem.empty(), object, problem);
}

bool Hdf5File::exists(const std::string& path) const {
  return on_root([&] { return int(holds(file_, path)); }) != 0;
}

void Hdf5File::make_group(const std::string& path) {
  if (holds(file_, path)) return;
  ensure_parent(path);
  reserve(path, 0);
  const Handle group(H5Gcreate2(file_, path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
  agree_written(group.good(), path);
}

void Hdf5File::ensure_parent(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash != std::string::npos && slash > 0) make_group(path.substr(0, slash));
}

void Hdf5File::link(const std::string& target, const std::string& name) {
  ensure_parent(name);
  reserve(name, 0);
  agree_written(H5Lcreate_hard(file_, target.c_str(), file_, name.c_str(), H5P_DEFAULT, H5P_DEFAULT) >= 0,
                name);
}

template <class T>
void Hdf5File::make_array(const std::string& path, std::uint64_t rows, std::uint64_t columns, bool checksum) {
  ensure_parent(path);
  const auto dims = with_columns({rows}, columns);
  reserve(path, sizeof(T) * rows * std::max<std::uint64_t>(columns, 1));
  const Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose);
  const Handle plist(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  if (checksum && rows > 0) {
    const auto chunk = with_columns({std::min(rows, largest_chunk_rows)}, columns);
    H5Pset_chunk(plist, static_cast<int>(chunk.size()), chunk.data());
    H5Pset_fletcher32(plist);
  }
  const Handle data(H5Dcreate2(file_, path.c_str(), h5_type<T>(), space, H5P_DEFAULT, plist, H5P_DEFAULT),
                    H5Dclose);
  agree_written(data.good(), path);
}

template <class T>
void Hdf5File::write_rows(const std::string& path, const T* mine, const Rows& rows, std::uint64_t columns) {
  const Handle data(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), H5Dclose);
  const Handle space(H5Dget_space(data), H5Sclose);
  const auto count = with_columns({rows.count}, columns);
  auto start = with_columns({rows.first}, columns);
  if (columns > 0) start.back() = 0;
  select(space, start, count);
  const Handle memory = memory_space(count);
  agree_written(H5Dwrite(data, h5_type<T>(), memory, space, collective_transfer(), mine) >= 0, path);
}

template <class T>
void Hdf5File::write(const std::string& path, const std::vector<T>& mine, const Rows& rows,
                     std::uint64_t columns, bool checksum) {
  make_array<T>(path, rows.total, columns, checksum);
  write_rows(path, mine.data(), rows, columns);
}

std::vector<std::uint64_t> Hdf5File::shape(const std::string& path) const {
  return on_root([&] {
    if (!holds(file_, path)) reject(path, "not found");
    const Handle data(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), H5Dclose);
    if (!data.good()) reject(path, "found a group, expected an array");
    const Handle space(H5Dget_space(data), H5Sclose);
    std::vector<hsize_t> dims(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space))));
    H5Sget_simple_extent_dims(space, dims.data(), nullptr);
    return std::vector<std::uint64_t>(dims.begin(), dims.end());
  });
}

namespace {
/// Whether stored bytes may stand for more than themselves.
bool is_compressed(hid_t data) {
  const Handle made(H5Dget_create_plist(data), H5Pclose);
  for (int k = 0; k < H5Pget_nfilters(made); ++k) {
    std::size_t values = 0;
    const H5Z_filter_t kind =
        H5Pget_filter2(made, static_cast<unsigned>(k), nullptr, &values, nullptr, 0, nullptr, nullptr);
    if (kind != H5Z_FILTER_FLETCHER32 && kind != H5Z_FILTER_SHUFFLE) return true;
  }
  return false;
}
}  // namespace

void Hdf5File::expect_numbers(const std::string& path, const std::vector<std::uint64_t>& wanted) const {
  on_root([&] {
    const Handle data(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), H5Dclose);
    const Handle type(H5Dget_type(data), H5Tclose);
    if (!is_usual_number(type)) reject(path, "found no numbers of a usual type");
    double bytes = static_cast<double>(H5Tget_size(type));
    for (const std::uint64_t n : wanted) bytes *= static_cast<double>(n);
    hsize_t size = 0;
    H5Fget_filesize(file_, &size);
    const double most = static_cast<double>(size) * (is_compressed(data) ? most_compression : 1.0);
    if (bytes > std::max(most, unstored_bytes))
      reject(path, fmt::format("found {} values in a file of {} bytes: its shape is damaged",
                               fmt::join(wanted, " x "), size));
    return 0;
  });
}

namespace {

template <class T>
std::vector<T> read_block(hid_t file, const std::string& path, const std::vector<hsize_t>& start,
                          const std::vector<hsize_t>& count, bool& good) {
  const Handle data(H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose);
  const Handle space(H5Dget_space(data), H5Sclose);
  select(space, start, count);
  const Handle memory = memory_space(count);
  std::size_t n = 1;
  for (const hsize_t c : count) n *= c;
  std::vector<T> values(n);
  // Each rank by itself: collective reads wait for ever where a damaged address fails on some ranks only.
  good = H5Dread(data, h5_type<T>(), memory, space, H5P_DEFAULT, values.data()) >= 0;
  return values;
}

std::string shape_text(const std::vector<std::uint64_t>& s) { return fmt::format("{}", fmt::join(s, " x ")); }

}  // namespace

template <class T>
std::vector<T> Hdf5File::read(const std::string& path, const Rows& rows, std::uint64_t columns) const {
  const auto found = shape(path);
  const auto expected = with_columns({rows.total}, columns);
  if (!std::equal(found.begin(), found.end(), expected.begin(), expected.end()))
    reject(path, fmt::format("found {} values, expected {}", shape_text(found),
                             shape_text({expected.begin(), expected.end()})));
  expect_numbers(path, found);
  auto start = with_columns({rows.first}, columns);
  if (columns > 0) start.back() = 0;
  bool good = false;
  auto values = read_block<T>(file_, path, start, with_columns({rows.count}, columns), good);
  comm_->throw_together(!good, fmt::format("{}: {}: cannot be read: the data are damaged", path_, path));
  return values;
}

// ---- time series

namespace {

/// Opens or makes an extendible array and adds one frame; returns the array's handle and the frame's index.
hid_t grow_by_frame(hid_t file, const std::string& path, hid_t type, std::vector<hsize_t> frame_dims,
                    hsize_t& index) {
  std::vector<hsize_t> dims{0};
  dims.insert(dims.end(), frame_dims.begin(), frame_dims.end());
  hid_t data;
  if (H5Lexists(file, path.c_str(), H5P_DEFAULT) > 0) {
    data = H5Dopen2(file, path.c_str(), H5P_DEFAULT);
    const Handle space(H5Dget_space(data), H5Sclose);
    std::vector<hsize_t> now(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
    H5Sget_simple_extent_dims(space, now.data(), nullptr);
    dims = now;
  } else {
    auto limit = dims, chunk = dims;
    limit[0] = H5S_UNLIMITED;
    chunk[0] = frame_dims.empty() ? 256 : 1;
    if (chunk.size() > 1) chunk[1] = std::max<hsize_t>(1, std::min<hsize_t>(chunk[1], largest_chunk_rows));
    const Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), limit.data()), H5Sclose);
    const Handle plist(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(plist, static_cast<int>(chunk.size()), chunk.data());
    data = H5Dcreate2(file, path.c_str(), type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  }
  if (data < 0) return data;
  index = dims[0]++;
  if (H5Dset_extent(data, dims.data()) < 0) {
    H5Dclose(data);
    return -1;
  }
  return data;
}

}  // namespace

template <class T>
void Hdf5File::append_frame(const std::string& path, const std::vector<T>& mine, const Rows& rows,
                            std::uint64_t columns) {
  ensure_parent(path);
  reserve(path, sizeof(T) * rows.total * std::max<std::uint64_t>(columns, 1));
  hsize_t frame = 0;
  const Handle data(grow_by_frame(file_, path, h5_type<T>(), with_columns({rows.total}, columns), frame),
                    H5Dclose);
  agree_written(data.good(), path);
  const Handle space(H5Dget_space(data), H5Sclose);
  auto start = with_columns({frame, rows.first}, columns);
  if (columns > 0) start.back() = 0;
  const auto count = with_columns({1, rows.count}, columns);
  select(space, start, count);
  const Handle memory = memory_space(count);
  agree_written(H5Dwrite(data, h5_type<T>(), memory, space, collective_transfer(), mine.data()) >= 0, path);
}

template <class T>
void Hdf5File::append_scalar(const std::string& path, T value) {
  ensure_parent(path);
  reserve(path, sizeof(T));
  hsize_t frame = 0;
  const Handle data(grow_by_frame(file_, path, h5_type<T>(), {}, frame), H5Dclose);
  agree_written(data.good(), path);
  const Handle space(H5Dget_space(data), H5Sclose);
  const std::vector<hsize_t> count{comm_->is_root() ? hsize_t{1} : hsize_t{0}};
  select(space, {frame}, count);
  const Handle memory = memory_space(count);
  agree_written(H5Dwrite(data, h5_type<T>(), memory, space, collective_transfer(), &value) >= 0, path);
}

template <class T>
std::vector<T> Hdf5File::read_frame(const std::string& path, std::uint64_t frame, const Rows& rows,
                                    std::uint64_t columns) const {
  const auto found = shape(path);
  const auto per_frame = with_columns({rows.total}, columns);
  if (found.size() != per_frame.size() + 1 || !std::equal(found.begin() + 1, found.end(), per_frame.begin()))
    reject(path, fmt::format("found {} values, expected frames of {}", shape_text(found),
                             shape_text({per_frame.begin(), per_frame.end()})));
  if (frame >= found[0])
    reject(path, fmt::format("frame {} of {} asked for (counted from 0)", frame, found[0]));
  expect_numbers(path, {found.begin() + 1, found.end()});
  auto start = with_columns({frame, rows.first}, columns);
  if (columns > 0) start.back() = 0;
  bool good = false;
  auto values = read_block<T>(file_, path, start, with_columns({1, rows.count}, columns), good);
  comm_->throw_together(!good, fmt::format("{}: {}: cannot be read: the data are damaged", path_, path));
  return values;
}

template <class T>
std::vector<T> Hdf5File::read_scalars(const std::string& path) const {
  const auto found = shape(path);
  if (found.size() != 1) reject(path, fmt::format("found {} values, expected a list", shape_text(found)));
  return read<T>(path, {found[0], 0, found[0]});
}

void Hdf5File::truncate_frames(const std::string& path, std::uint64_t frames) {
  const auto now = shape(path);
  std::vector<hsize_t> dims(now.begin(), now.end());
  dims[0] = std::min<hsize_t>(dims[0], frames);
  const Handle data(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), H5Dclose);
  agree_written(H5Dset_extent(data, dims.data()) >= 0, path);
}

WAFERMARK_HDF5_FOR_EACH_TYPE(WAFERMARK_HDF5_DATA_SETS);

}  // namespace wafermark
