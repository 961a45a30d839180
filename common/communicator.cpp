#include "common/communicator.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <numeric>
#include <utility>

#include "common/errors.hpp"
#include "common/mpi_check.hpp"
#include "common/runtime.hpp"

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
MPI_Datatype mpi_type<std::uint32_t>() {
  return MPI_UINT32_T;
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

/// Starts of consecutive blocks of the given sizes, and their end.
std::vector<std::int64_t> starts(const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> first(sizes.size() + 1, 0);
  std::partial_sum(sizes.begin(), sizes.end(), first.begin() + 1);
  return first;
}

/// The first n numbers as MPI's counts, which are int; the caller knows that they fit.
std::vector<int> counts(const std::vector<std::int64_t>& values, std::size_t n) {
  return {values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n)};
}

/// f(first, count) for the pieces of n elements.
template <class F>
void in_pieces(std::int64_t n, std::int64_t piece, F&& f) {
  for (std::int64_t first = 0; first < n; first += piece)
    f(first, static_cast<int>(std::min(piece, n - first)));
}

using runtime::Message;

/// Of a collective: n values of each rank.
template <class T>
void note(Message::Kind kind, std::int64_t n, int root = -1) {
  runtime::note_message({kind, n * static_cast<std::int64_t>(sizeof(T)), -1, 0, root});
}

template <class T>
T reduce(MPI_Comm comm, T value, MPI_Op op) {
  note<T>(Message::Kind::all_reduce, 1);
  T result{};
  check(comm, MPI_Allreduce(&value, &result, 1, mpi_type<T>(), op, comm), "MPI_Allreduce");
  return result;
}

}  // namespace

Communicator::Communicator(Adopted own) : comm_(own.comm) {
  check(comm_, MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(comm_, MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check(comm_, MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

Communicator::Communicator(MPI_Comm from)
    : Communicator([from] {
        MPI_Comm own = MPI_COMM_NULL;
        check(from, MPI_Comm_dup(from, &own), "MPI_Comm_dup");
        return Adopted{own};
      }()) {}

Communicator Communicator::on_this_node() const {
  MPI_Comm node = MPI_COMM_NULL;
  check(comm_, MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node),
        "MPI_Comm_split_type");
  return Communicator(Adopted{node});
}

Communicator::~Communicator() {
  // Freeing is collective, and while an exception unwinds nobody knows whether the other ranks come along.
  if (std::uncaught_exceptions() > exceptions_) return;
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (comm_ != MPI_COMM_NULL && !finalized) MPI_Comm_free(&comm_);
}

Communicator::Communicator(Communicator&& o) noexcept
    : comm_(std::exchange(o.comm_, MPI_COMM_NULL)),
      rank_(o.rank_),
      size_(o.size_),
      largest_message_(o.largest_message_) {}

Communicator& Communicator::operator=(Communicator&& o) noexcept {
  std::swap(comm_, o.comm_);
  std::swap(rank_, o.rank_);
  std::swap(size_, o.size_);
  std::swap(largest_message_, o.largest_message_);
  return *this;
}

void Communicator::barrier() const {
  note<char>(Message::Kind::barrier, 0);
  check(comm_, MPI_Barrier(comm_), "MPI_Barrier");
}

template <class T>
void Communicator::send_receive(const T* out, std::int64_t n_out, int to, T* in, std::int64_t n_in,
                                int from) const {
  constexpr int tag = 17;
  constexpr auto size = static_cast<std::int64_t>(sizeof(T));
  runtime::note_message({Message::Kind::exchange, n_out * size, to, n_in * size, from});
  const std::int64_t piece = largest_message_;
  // Empty pieces are sent too: each end of a message counts the same pieces, at least one.
  const auto pieces = [piece](std::int64_t n) { return std::max<std::int64_t>(1, (n + piece - 1) / piece); };
  const std::int64_t n_sends = pieces(n_out), n_receives = pieces(n_in);
  for (std::int64_t k = 0; k < std::max(n_sends, n_receives); ++k) {
    const std::int64_t out_at = std::min(k * piece, n_out), in_at = std::min(k * piece, n_in);
    check(comm_,
          MPI_Sendrecv(out + out_at, static_cast<int>(std::min(piece, n_out - out_at)), mpi_type<T>(),
                       k < n_sends ? to : MPI_PROC_NULL, tag, in + in_at,
                       static_cast<int>(std::min(piece, n_in - in_at)), mpi_type<T>(),
                       k < n_receives ? from : MPI_PROC_NULL, tag, comm_, MPI_STATUS_IGNORE),
          "MPI_Sendrecv");
  }
}

template <class T>
void Communicator::reduce_in_place(T* values, std::int64_t n, MPI_Op op) const {
  note<T>(Message::Kind::all_reduce, n);
  in_pieces(n, largest_message_, [&](std::int64_t first, int count) {
    check(comm_, MPI_Allreduce(MPI_IN_PLACE, values + first, count, mpi_type<T>(), op, comm_),
          "MPI_Allreduce");
  });
}
template <class T>
void Communicator::sum_in_place(T* values, std::int64_t n) const {
  reduce_in_place(values, n, MPI_SUM);
}
template <class T>
void Communicator::max_in_place(T* values, std::int64_t n) const {
  reduce_in_place(values, n, MPI_MAX);
}
void Communicator::or_bits_in_place(float* values, std::int64_t n) const {
  static_assert(sizeof(float) == sizeof(std::uint32_t));
  reduce_in_place(reinterpret_cast<std::uint32_t*>(values), n, MPI_BOR);
}

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
  sum_in_place(values.data(), static_cast<std::int64_t>(values.size()));
  return values;
}

template <class T>
std::vector<T> Communicator::all_gather(T value) const {
  std::vector<T> all(static_cast<std::size_t>(size_));
  note<T>(Message::Kind::all_gather, 1);
  check(comm_, MPI_Allgather(&value, 1, mpi_type<T>(), all.data(), 1, mpi_type<T>(), comm_), "MPI_Allgather");
  return all;
}

template <class T>
std::vector<T> Communicator::all_gather(const std::vector<T>& part) const {
  const std::vector<std::int64_t> sizes = all_gather(static_cast<std::int64_t>(part.size()));
  const std::vector<std::int64_t> first = starts(sizes);
  std::vector<T> all(static_cast<std::size_t>(first.back()));
  note<T>(Message::Kind::all_gather, static_cast<std::int64_t>(part.size()));
  if (first.back() <= largest_message_) {
    const std::vector<int> n = counts(sizes, sizes.size()), at = counts(first, sizes.size());
    check(comm_,
          MPI_Allgatherv(part.data(), static_cast<int>(part.size()), mpi_type<T>(), all.data(), n.data(),
                         at.data(), mpi_type<T>(), comm_),
          "MPI_Allgatherv");
    return all;
  }
  std::copy(part.begin(), part.end(), all.begin() + first[static_cast<std::size_t>(rank_)]);
  for (int r = 0; r < size_; ++r) {
    T* const from = all.data() + first[static_cast<std::size_t>(r)];
    in_pieces(sizes[static_cast<std::size_t>(r)], largest_message_, [&](std::int64_t at, int count) {
      check(comm_, MPI_Bcast(from + at, count, mpi_type<T>(), r, comm_), "MPI_Bcast");
    });
  }
  return all;
}

template <class T>
void Communicator::broadcast(T& value, int root) const {
  note<T>(Message::Kind::broadcast, 1, root);
  check(comm_, MPI_Bcast(&value, 1, mpi_type<T>(), root, comm_), "MPI_Bcast");
}

template <class T>
void Communicator::broadcast(std::vector<T>& values, int root) const {
  std::uint64_t n = values.size();
  broadcast(n, root);
  values.resize(n);
  note<T>(Message::Kind::broadcast, static_cast<std::int64_t>(n), root);
  in_pieces(static_cast<std::int64_t>(n), largest_message_, [&](std::int64_t first, int count) {
    check(comm_, MPI_Bcast(values.data() + first, count, mpi_type<T>(), root, comm_), "MPI_Bcast");
  });
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
  note<std::int64_t>(Message::Kind::scan, 1);
  check(comm_, MPI_Exscan(&value, &before, 1, MPI_INT64_T, MPI_SUM, comm_), "MPI_Exscan");
  return rank_ == 0 ? 0 : before;
}

template <class T>
std::vector<std::vector<T>> Communicator::all_to_all(const std::vector<std::vector<T>>& parts) const {
  const auto ranks = static_cast<std::size_t>(size_);
  std::vector<std::int64_t> out_sizes(ranks), in_sizes(ranks);
  for (std::size_t r = 0; r < ranks; ++r) out_sizes[r] = static_cast<std::int64_t>(parts.at(r).size());
  note<std::int64_t>(Message::Kind::all_to_all, size_);
  check(comm_, MPI_Alltoall(out_sizes.data(), 1, MPI_INT64_T, in_sizes.data(), 1, MPI_INT64_T, comm_),
        "MPI_Alltoall");
  const std::vector<std::int64_t> out_first = starts(out_sizes), in_first = starts(in_sizes);
  std::vector<std::vector<T>> result(ranks);
  if (max(std::max(out_first.back(), in_first.back())) > largest_message_) {
    for (std::size_t k = 0; k < ranks; ++k) {
      const auto me = static_cast<std::size_t>(rank_), to = (me + k) % ranks, from = (me + ranks - k) % ranks;
      result[from].resize(static_cast<std::size_t>(in_sizes[from]));
      send_receive(parts[to].data(), out_sizes[to], static_cast<int>(to), result[from].data(), in_sizes[from],
                   static_cast<int>(from));
    }
    return result;
  }
  note<T>(Message::Kind::all_to_all, out_first.back());
  std::vector<T> out, in(static_cast<std::size_t>(in_first.back()));
  out.reserve(static_cast<std::size_t>(out_first.back()));
  for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  const std::vector<int> out_n = counts(out_sizes, ranks), in_n = counts(in_sizes, ranks),
                         out_at = counts(out_first, ranks), in_at = counts(in_first, ranks);
  check(comm_,
        MPI_Alltoallv(out.data(), out_n.data(), out_at.data(), mpi_type<T>(), in.data(), in_n.data(),
                      in_at.data(), mpi_type<T>(), comm_),
        "MPI_Alltoallv");
  for (std::size_t r = 0; r < ranks; ++r)
    result[r].assign(in.begin() + in_first[r], in.begin() + in_first[r + 1]);
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

#define WAFERMARK_INSTANTIATE(T)                                                                      \
  template void Communicator::send_receive(const T*, std::int64_t, int, T*, std::int64_t, int) const; \
  template void Communicator::sum_in_place(T*, std::int64_t) const;                                   \
  template void Communicator::max_in_place(T*, std::int64_t) const;                                   \
  template T Communicator::sum(T) const;                                                              \
  template T Communicator::min(T) const;                                                              \
  template T Communicator::max(T) const;                                                              \
  template std::vector<T> Communicator::sum(std::vector<T>) const;                                    \
  template std::vector<T> Communicator::all_gather(T) const;                                          \
  template std::vector<T> Communicator::all_gather(const std::vector<T>&) const;                      \
  template void Communicator::broadcast(T&, int) const;                                               \
  template void Communicator::broadcast(std::vector<T>&, int) const;                                  \
  template std::vector<std::vector<T>> Communicator::all_to_all(const std::vector<std::vector<T>>&) const
WAFERMARK_INSTANTIATE(float);
WAFERMARK_INSTANTIATE(double);
WAFERMARK_INSTANTIATE(int);
WAFERMARK_INSTANTIATE(std::int64_t);
WAFERMARK_INSTANTIATE(std::uint64_t);
WAFERMARK_INSTANTIATE(char);
WAFERMARK_INSTANTIATE(std::uint8_t);
#undef WAFERMARK_INSTANTIATE

}  // namespace wafermark
