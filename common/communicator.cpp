#include "common/communicator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <stdexcept>
#include <utility>

#include "common/errors.hpp"

namespace wafermark {

template <>
MPI_Datatype mpi_type<float>() {
  return MPI_FLOAT;
}
template <>
MPI_Datatype mpi_type<double>() {
  return MPI_DOUBLE;
}
template <>
MPI_Datatype mpi_type<int>() {
  return MPI_INT;
}
template <>
MPI_Datatype mpi_type<std::int64_t>() {
  return MPI_INT64_T;
}
template <>
MPI_Datatype mpi_type<std::uint64_t>() {
  return MPI_UINT64_T;
}
template <>
MPI_Datatype mpi_type<char>() {
  return MPI_CHAR;
}
template <>
MPI_Datatype mpi_type<std::uint8_t>() {
  return MPI_UINT8_T;
}

namespace {

int count_of(std::size_t n) {
  if (n > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw std::runtime_error(fmt::format("MPI message of {} elements: expected at most 2^31 - 1", n));
  return static_cast<int>(n);
}

/// Starts of consecutive blocks of the given sizes.
std::vector<int> starts(const std::vector<int>& sizes) {
  std::vector<int> first(sizes.size());
  std::size_t at = 0;
  for (std::size_t r = 0; r < sizes.size(); ++r) {
    first[r] = count_of(at);
    at += static_cast<std::size_t>(sizes[r]);
  }
  count_of(at);
  return first;
}

/// Turns a return code into an exception that names the rank, the call and MPI's text.
void check(MPI_Comm comm, int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0, rank = 0, size = 1;
  MPI_Error_string(code, text, &length);
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  throw std::runtime_error(fmt::format("rank {} of {}: {}: {}", rank, size, call, std::string(text, length)));
}

template <class T>
T reduce(MPI_Comm comm, T value, MPI_Op op) {
  T result{};
  check(comm, MPI_Allreduce(&value, &result, 1, mpi_type<T>(), op, comm), "MPI_Allreduce");
  return result;
}

}  // namespace

Communicator::Communicator(MPI_Comm from) {
  MPI_Comm_dup(from, &comm_);
  MPI_Comm_rank(comm_, &rank_);
  MPI_Comm_size(comm_, &size_);
  MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
}

Communicator::~Communicator() {
  // Freeing is collective, and while an exception unwinds nobody knows whether the other ranks come along.
  if (std::uncaught_exceptions() > exceptions_) return;
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (comm_ != MPI_COMM_NULL && !finalized) MPI_Comm_free(&comm_);
}

Communicator::Communicator(Communicator&& o) noexcept
    : comm_(std::exchange(o.comm_, MPI_COMM_NULL)), rank_(o.rank_), size_(o.size_) {}

Communicator& Communicator::operator=(Communicator&& o) noexcept {
  std::swap(comm_, o.comm_);
  std::swap(rank_, o.rank_);
  std::swap(size_, o.size_);
  return *this;
}

void Communicator::barrier() const { check(comm_, MPI_Barrier(comm_), "MPI_Barrier"); }

template <class T>
T Communicator::sum(T value) const {
  return reduce(comm_, value, MPI_SUM);
}
template <class T>
T Communicator::min(T value) const {
  return reduce(comm_, value, MPI_MIN);
}
template <class T>
T Communicator::max(T value) const {
  return reduce(comm_, value, MPI_MAX);
}

template <class T>
std::vector<T> Communicator::sum(std::vector<T> values) const {
  check(comm_,
        MPI_Allreduce(MPI_IN_PLACE, values.data(), count_of(values.size()), mpi_type<T>(), MPI_SUM, comm_),
        "MPI_Allreduce");
  return values;
}

template <class T>
std::vector<T> Communicator::all_gather(T value) const {
  std::vector<T> all(static_cast<std::size_t>(size_));
  check(comm_, MPI_Allgather(&value, 1, mpi_type<T>(), all.data(), 1, mpi_type<T>(), comm_), "MPI_Allgather");
  return all;
}

template <class T>
std::vector<T> Communicator::all_gather(const std::vector<T>& part) const {
  const std::vector<int> sizes = all_gather(count_of(part.size()));
  const std::vector<int> first = starts(sizes);
  std::vector<T> all(static_cast<std::size_t>(first.back()) + static_cast<std::size_t>(sizes.back()));
  check(comm_,
        MPI_Allgatherv(part.data(), count_of(part.size()), mpi_type<T>(), all.data(), sizes.data(),
                       first.data(), mpi_type<T>(), comm_),
        "MPI_Allgatherv");
  return all;
}

template <class T>
void Communicator::broadcast(T& value, int root) const {
  check(comm_, MPI_Bcast(&value, 1, mpi_type<T>(), root, comm_), "MPI_Bcast");
}

template <class T>
void Communicator::broadcast(std::vector<T>& values, int root) const {
  std::uint64_t n = values.size();
  broadcast(n, root);
  values.resize(n);
  check(comm_, MPI_Bcast(values.data(), count_of(n), mpi_type<T>(), root, comm_), "MPI_Bcast");
}

void Communicator::broadcast(std::string& text, int root) const {
  std::vector<char> bytes(text.begin(), text.end());
  broadcast(bytes, root);
  text.assign(bytes.begin(), bytes.end());
}

void Communicator::broadcast(std::vector<std::string>& texts, int root) const {
  std::uint64_t n = texts.size();
  broadcast(n, root);
  texts.resize(n);
  for (std::string& text : texts) broadcast(text, root);
}

std::int64_t Communicator::exclusive_scan(std::int64_t value) const {
  std::int64_t before = 0;
  check(comm_, MPI_Exscan(&value, &before, 1, MPI_INT64_T, MPI_SUM, comm_), "MPI_Exscan");
  return rank_ == 0 ? 0 : before;
}

template <class T>
std::vector<std::vector<T>> Communicator::all_to_all(const std::vector<std::vector<T>>& parts) const {
  const auto ranks = static_cast<std::size_t>(size_);
  std::vector<int> out_sizes(ranks), in_sizes(ranks);
  std::vector<T> out;
  for (std::size_t r = 0; r < ranks; ++r) {
    out_sizes[r] = count_of(parts.at(r).size());
    out.insert(out.end(), parts[r].begin(), parts[r].end());
  }
  check(comm_, MPI_Alltoall(out_sizes.data(), 1, MPI_INT, in_sizes.data(), 1, MPI_INT, comm_),
        "MPI_Alltoall");
  const std::vector<int> out_first = starts(out_sizes), in_first = starts(in_sizes);
  std::vector<T> in(static_cast<std::size_t>(in_first.back()) + static_cast<std::size_t>(in_sizes.back()));
  check(comm_,
        MPI_Alltoallv(out.data(), out_sizes.data(), out_first.data(), mpi_type<T>(), in.data(),
                      in_sizes.data(), in_first.data(), mpi_type<T>(), comm_),
        "MPI_Alltoallv");
  std::vector<std::vector<T>> result(ranks);
  for (std::size_t r = 0; r < ranks; ++r)
    result[r].assign(in.begin() + in_first[r], in.begin() + in_first[r] + in_sizes[r]);
  return result;
}

bool Communicator::any_rank(bool bad, std::string& message) const {
  const int first = min(bad ? rank_ : size_);
  if (first == size_) return false;
  broadcast(message, first);
  return true;
}

void Communicator::throw_together(bool bad, const std::string& message) const {
  if (std::string text = message; any_rank(bad, text)) throw InputError(text);
}

void Communicator::fail_together(bool bad, const std::string& message) const {
  if (std::string text = message; any_rank(bad, text)) throw std::runtime_error(text);
}

#define WAFERMARK_INSTANTIATE(T)                                                 \
  template T Communicator::sum(T) const;                                         \
  template T Communicator::min(T) const;                                         \
  template T Communicator::max(T) const;                                         \
  template std::vector<T> Communicator::sum(std::vector<T>) const;               \
  template std::vector<T> Communicator::all_gather(T) const;                     \
  template std::vector<T> Communicator::all_gather(const std::vector<T>&) const; \
  template void Communicator::broadcast(T&, int) const;                          \
  template void Communicator::broadcast(std::vector<T>&, int) const;             \
  template std::vector<std::vector<T>> Communicator::all_to_all(const std::vector<std::vector<T>>&) const
WAFERMARK_INSTANTIATE(float);
WAFERMARK_INSTANTIATE(double);
WAFERMARK_INSTANTIATE(int);
WAFERMARK_INSTANTIATE(std::int64_t);
WAFERMARK_INSTANTIATE(std::uint64_t);
WAFERMARK_INSTANTIATE(char);
WAFERMARK_INSTANTIATE(std::uint8_t);
#undef WAFERMARK_INSTANTIATE

CartesianGrid::CartesianGrid(const Communicator& comm, std::array<int, 3> fixed,
                             std::array<double, 3> edges) {
  double least = std::numeric_limits<double>::infinity();
  for (int x = 1; x <= comm.size(); ++x) {
    if (comm.size() % x != 0 || (fixed[0] != 0 && fixed[0] != x)) continue;
    for (int y = 1; y <= comm.size() / x; ++y) {
      const int z = comm.size() / x / y;
      if (x * y * z != comm.size() || (fixed[1] != 0 && fixed[1] != y) || (fixed[2] != 0 && fixed[2] != z))
        continue;
      const double cut = x * edges[1] * edges[2] + y * edges[0] * edges[2] + z * edges[0] * edges[1];
      if (cut < least) {
        least = cut;
        dims_ = {x, y, z};
      }
    }
  }
  if (dims_[0] == 0)
    throw InputError(fmt::format("rank grid {} x {} x {} does not fit {} ranks (0 stands for: chosen)",
                                 fixed[0], fixed[1], fixed[2], comm.size()));
  coords_ = {comm.rank() / (dims_[1] * dims_[2]), comm.rank() / dims_[2] % dims_[1], comm.rank() % dims_[2]};
}

int CartesianGrid::rank_of(std::array<int, 3> coords) const {
  for (std::size_t d = 0; d < 3; ++d) coords[d] = (coords[d] % dims_[d] + dims_[d]) % dims_[d];
  return (coords[0] * dims_[1] + coords[1]) * dims_[2] + coords[2];
}

int CartesianGrid::neighbour(int axis, int direction) const {
  std::array<int, 3> c = coords_;
  c[static_cast<std::size_t>(axis)] += direction;
  return rank_of(c);
}

}  // namespace wafermark
