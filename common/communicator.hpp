// MPI communicators that own themselves, with typed messages and collectives, and errors that name the rank.
// No other folder calls MPI to move data: what MPI returns is looked at here (and in pending_messages.hpp and
// collective_file.hpp), and counts of more than 31 bits are cut into pieces here.
#pragma once

#include <mpi.h>

#include <array>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace wafermark {

template <class T>
MPI_Datatype
mpi_type();  // float, double, int, std::uint32_t, std::int64_t, std::uint64_t, char, std::uint8_t

/// A duplicate of an MPI communicator, freed with the object. Every MPI error throws std::runtime_error
/// "rank R of N: <call>: <MPI's text>".
class Communicator {
 public:
  explicit Communicator(MPI_Comm from = MPI_COMM_WORLD);
  ~Communicator();
  Communicator(Communicator&&) noexcept;
  Communicator& operator=(Communicator&&) noexcept;
  Communicator(const Communicator&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_root() const { return rank_ == 0; }
  MPI_Comm raw() const { return comm_; }
  /// The ranks that share this one's node. Collective.
  Communicator on_this_node() const;

  /// Elements of one MPI message; longer ones go in pieces. The same on all ranks; for tests.
  void set_largest_message(std::int64_t elements) { largest_message_ = elements; }
  std::int64_t largest_message() const { return largest_message_; }

  void barrier() const;
  /// Sends `n_out` values to rank `to` while `n_in` come from rank `from`; MPI_PROC_NULL on either side is
  /// nobody. Both ends know the numbers. The addresses may be a device's where MPI reads them.
  template <class T>
  void send_receive(const T* out, std::int64_t n_out, int to, T* in, std::int64_t n_in, int from) const;

  /// Of each element over the ranks, on all of them; addresses as above.
  template <class T>
  void sum_in_place(T* values, std::int64_t n) const;
  template <class T>
  void max_in_place(T* values, std::int64_t n) const;
  /// The bits of each element: joins values of which all ranks but one hold +0.
  void or_bits_in_place(float* values, std::int64_t n) const;

  template <class T>
  T sum(T value) const;
  template <class T>
  T min(T value) const;
  template <class T>
  T max(T value) const;
  template <class T>
  std::vector<T> sum(std::vector<T> values) const;  ///< element by element
  template <class T>
  std::vector<T> all_gather(T value) const;  ///< one value of each rank, by rank
  template <class T>
  std::vector<T> all_gather(const std::vector<T>& part) const;  ///< concatenated by rank
  template <class T>
  void broadcast(T& value, int root = 0) const;
  template <class T>
  void broadcast(std::vector<T>& values, int root = 0) const;  ///< size included
  void broadcast(std::string& text, int root = 0) const;
  void broadcast(std::vector<std::string>& texts, int root = 0) const;  ///< their number included
  /// Sum over all lower ranks (0 on rank 0).
  std::int64_t exclusive_scan(std::int64_t value) const;
  /// Sends parts[r] to rank r; returns what each rank sent to this one, by rank.
  template <class T>
  std::vector<std::vector<T>> all_to_all(const std::vector<std::vector<T>>& parts) const;
  /// Throws `message` as InputError on all ranks if any rank's `bad` is set (the lowest such rank's message).
  void throw_together(bool bad, const std::string& message) const;
  /// The same for what is no mistake of the user's (a full disk): std::runtime_error.
  void fail_together(bool bad, const std::string& message) const;

 private:
  /// Whether `bad` is set anywhere; then `message` becomes that of the lowest such rank.
  bool any_rank(bool bad, std::string& message) const;
  struct Adopted {
    MPI_Comm comm;
  };
  explicit Communicator(Adopted own);
  template <class T>
  void reduce_in_place(T* values, std::int64_t n, MPI_Op op) const;

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  int exceptions_ = std::uncaught_exceptions();  ///< under way when it was made
  std::int64_t largest_message_ = std::int64_t{1} << 30;
};

/// A 3-D grid of ranks over a communicator; x varies slowest, as in MPI_Cart_create without reordering.
class CartesianGrid {
 public:
  /// `dims` entries of 0 are chosen: the factorisation of the rank count with the least cut surface for a box
  /// with these edge lengths. Throws InputError when fixed entries do not divide the rank count.
  CartesianGrid(const Communicator& comm, std::array<int, 3> dims, std::array<double, 3> edges);
  /// The same choice for any number of ranks, wherever this program runs.
  static std::array<int, 3> dims_for(int ranks, std::array<int, 3> fixed, std::array<double, 3> edges);

  const std::array<int, 3>& dims() const { return dims_; }
  const std::array<int, 3>& coords() const { return coords_; }
  /// Rank of the grid cell `coords`, wrapped periodically.
  int rank_of(std::array<int, 3> coords) const;
  /// Neighbour along `axis` in direction -1 or +1, wrapped periodically.
  int neighbour(int axis, int direction) const;

 private:
  std::array<int, 3> dims_{}, coords_{};
};

}  // namespace wafermark
