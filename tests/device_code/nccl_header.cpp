// What nccl_library.hpp says of NCCL's functions is what nccl.h says.
#include <nccl.h>

#include <type_traits>

#include "sparse_llama/cluster/nccl_library.hpp"

namespace wafermark::llama {
namespace {

/// Passed alike: one type for numbers, enumerations of their size, one for pointers.
template <class T>
struct Passed {
  using Type = std::conditional_t<std::is_pointer_v<T>, void*, T>;
};
template <class T>
requires std::is_enum_v<T>
struct Passed<T> {
  static_assert(sizeof(T) == sizeof(int));
  using Type = int;
};
template <>
struct Passed<ncclUniqueId> {
  static_assert(sizeof(ncclUniqueId) == sizeof(NcclId) && alignof(ncclUniqueId) == alignof(NcclId));
  using Type = NcclId;
};
template <class R, class... T>
auto passed(R (*)(T...)) -> typename Passed<R>::Type (*)(typename Passed<T>::Type...);

template <class Ours, class Theirs>
constexpr bool same =
    std::is_same_v<decltype(passed(static_cast<Ours*>(nullptr))), decltype(passed(Theirs(nullptr)))>;

static_assert(same<Nccl::GetVersion, decltype(&ncclGetVersion)>);
static_assert(same<Nccl::GetUniqueId, decltype(&ncclGetUniqueId)>);
static_assert(same<Nccl::InitRank, decltype(&ncclCommInitRank)>);
static_assert(same<Nccl::AllReduce, decltype(&ncclAllReduce)>);
static_assert(same<Nccl::Free, decltype(&ncclCommDestroy)>);
static_assert(same<Nccl::Free, decltype(&ncclCommAbort)>);
static_assert(same<Nccl::ErrorText, decltype(&ncclGetErrorString)>);
static_assert(Nccl::float32 == int(ncclFloat32) && Nccl::sum == int(ncclSum) && int(ncclSuccess) == 0);

}  // namespace
}  // namespace wafermark::llama
