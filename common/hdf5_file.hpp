// Parallel HDF5 files: groups, attributes and distributed arrays, written and read by all ranks together.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "common/communicator.hpp"
#include "common/errors.hpp"

namespace wafermark {

/// Which rows of a distributed array are this rank's: rows [first, first + count) of `total`.
struct Rows {
  std::uint64_t total = 0, first = 0, count = 0;
  /// Ranks' parts one after the other in the order of ranks. Collective.
  static Rows of(const Communicator& comm, std::uint64_t count);
};

/// The library's hid_t: users of these files need not have its headers.
using Hdf5Id = std::int64_t;

/// Whether this build has the library (CMake: WAFERMARK_HDF5). Without it every way to open a file throws
/// InputError.
bool has_hdf5();
/// Whether a file is open in this process; an exception leaves those open that were being written.
bool hdf5_files_are_open();

/// How texts are stored. h5py takes only variable-length ones for text (fixed ones come out as bytes), and
/// programs that build on it look units up by them; but damage to the heap that these lie in can keep the
/// library for ever, so that reading them takes a process of its own (guarded_text.hpp). Fixed texts of more
/// than 60,000 bytes are stored variable.
enum class TextLayout { fixed, variable };

/// An open file. Every call is collective: rank 0 reads attributes and shapes for all, each rank its own rows
/// of an array. Paths are absolute ("/particles/all/position/value"); parents are made. Arrays are T = float,
/// double, int, std::int64_t or std::uint8_t with `columns` values a row (0: one-dimensional). What cannot be
/// written (a full disk) throws std::runtime_error with file and object on all ranks; a file that cannot be
/// opened or is not HDF5, an object that is missing or of another shape: InputError. When anything else
/// throws, on one rank or on all, a file that is being written is left open: closing it would wait for the
/// other ranks.
class Hdf5File {
 public:
  /// Creates FILE under a temporary name beside it; commit() gives it its own. Without commit() nothing
  /// remains.
  static Hdf5File create(const Communicator& comm, const std::string& path);
  static Hdf5File open(const Communicator& comm, const std::string& path);            ///< read only
  static Hdf5File open_to_append(const Communicator& comm, const std::string& path);  ///< in place
  ~Hdf5File();
  Hdf5File(Hdf5File&&) noexcept;
  Hdf5File(const Hdf5File&) = delete;

  /// Pushes the data to the disk, closes and renames into place. A file that has the name already is first
  /// renamed to `former_becomes`, where that is given, else replaced.
  void commit(const std::string& former_becomes = "");
  /// Closes a file that was opened to append, and says whether that went well; the destructor does not.
  void close();
  /// Pushes everything written so far to the file system.
  void flush();

  bool exists(const std::string& path) const;
  /// Names of what a group holds; none where there is no such group.
  std::vector<std::string> children(const std::string& path) const;
  void make_group(const std::string& path);
  /// A second name for `target` (H5MD shares step and time this way).
  void link(const std::string& target, const std::string& name);

  // Attributes of a group or array.
  template <class T>
  void set_attribute(const std::string& object, const std::string& name, const T& value);
  template <class T>
  void set_attribute(const std::string& object, const std::string& name, const std::vector<T>& values);
  void set_attribute(const std::string& object, const std::string& name, const std::string& text,
                     TextLayout layout = TextLayout::fixed);
  void set_attribute(const std::string& object, const std::string& name, const char* text,
                     TextLayout layout = TextLayout::fixed) {
    set_attribute(object, name, std::string(text), layout);
  }
  void set_attribute(const std::string& object, const std::string& name,
                     const std::vector<std::string>& texts, TextLayout layout = TextLayout::fixed);
  bool has_attribute(const std::string& object, const std::string& name) const;
  template <class T>
  T attribute(const std::string& object, const std::string& name) const;
  template <class T>
  std::vector<T> attribute_list(const std::string& object, const std::string& name) const;
  std::string text_attribute(const std::string& object, const std::string& name) const;
  std::vector<std::string> text_list_attribute(const std::string& object, const std::string& name) const;

  // Whole arrays. `checksum` adds HDF5's Fletcher-32 filter, so that damage shows when the array is read.
  template <class T>
  void write(const std::string& path, const std::vector<T>& mine, const Rows& rows, std::uint64_t columns = 0,
             bool checksum = false);
  /// An array without values, and values of this rank's rows for it, as often as it takes: for arrays of
  /// which a rank holds several parts, or that are too large for a second copy in the library's buffers.
  template <class T>
  void make_array(const std::string& path, std::uint64_t rows, std::uint64_t columns = 0,
                  bool checksum = false);
  template <class T>
  void write_rows(const std::string& path, const T* mine, const Rows& rows, std::uint64_t columns = 0);
  template <class T>
  std::vector<T> read(const std::string& path, const Rows& rows, std::uint64_t columns = 0) const;
  /// Length of each axis.
  std::vector<std::uint64_t> shape(const std::string& path) const;

  // Time series: [frame][row][columns], or [frame] when rows.total is 0 and columns 1. Made by the first
  // append.
  template <class T>
  void append_frame(const std::string& path, const std::vector<T>& mine, const Rows& rows,
                    std::uint64_t columns);
  template <class T>
  void append_scalar(const std::string& path, T value);
  template <class T>
  std::vector<T> read_frame(const std::string& path, std::uint64_t frame, const Rows& rows,
                            std::uint64_t columns) const;
  template <class T>
  std::vector<T> read_scalars(const std::string& path) const;
  /// Drops the frames from `frames` on.
  void truncate_frames(const std::string& path, std::uint64_t frames);

 private:
  Hdf5File(const Communicator& comm, std::string path, std::string final_path);
  /// What `read` returns or throws on rank 0, on all ranks: of a damaged file HDF5 can tell each rank
  /// something else.
  template <class Read>
  auto on_root(const Read& read) const {
    decltype(read()) found{};
    std::string problem;
    try {
      if (comm_->is_root()) found = read();
    } catch (const InputError& e) {
      problem = e.what();
    }
    comm_->throw_together(!problem.empty(), problem);
    comm_->broadcast(found);
    return found;
  }
  [[noreturn]] void reject(const std::string& object, const std::string& what) const;
  void ensure_parent(const std::string& path);
  /// That an array holds numbers, and that a file of this size can hold as many as `wanted` (lengths of axes)
  /// come to: memory is taken by a shape only after that.
  void expect_numbers(const std::string& path, const std::vector<std::uint64_t>& wanted) const;
  void write_texts(const std::string& object, const std::string& name, const std::vector<std::string>& texts,
                   Hdf5Id space, TextLayout layout);
  Hdf5Id open_attribute(const std::string& object, const std::string& name) const;
  /// Gives the file up and throws on all ranks when the write failed on any; `why` of the first such rank.
  void agree_written(bool good, const std::string& object,
                     const std::string& why = "expected space on the device");
  /// Gives the file up after a write failed; a temporary file goes. Collective.
  void abandon();
  /// Room on the disk for an array, before the library learns of it. Throws on all ranks when there is none.
  void reserve(const std::string& object, std::uint64_t bytes);

  const Communicator* comm_;
  std::string path_, final_path_;
  Hdf5Id file_ = -1;
  bool writable_ = false;
  int exceptions_ = std::uncaught_exceptions();  ///< under way when it was made
};

}  // namespace wafermark
