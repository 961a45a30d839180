// The functions of NCCL (nccl.h) and RCCL (rccl.h) that are called, from a library that is loaded while the
// program runs. tests/device_code/nccl_header.cpp compares them with nccl.h.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>

#include "common/loaded_library.hpp"

namespace wafermark::llama {

/// Which ranks belong together.
struct NcclId {
  char internal[128];
};
/// Only the library knows what it points to.
using NcclCommunicator = void*;

class Nccl {
  LoadedLibrary library_;

 public:
  // Of these 0 is success.
  using GetVersion = int(int*);
  using GetUniqueId = int(NcclId*);
  using InitRank = int(NcclCommunicator*, int ranks, NcclId, int rank);
  using AllReduce = int(const void* from, void* to, std::size_t n, int type, int operation, NcclCommunicator,
                        void* stream);
  using Free = int(NcclCommunicator);
  using ErrorText = const char*(int);
  static constexpr int float32 = 7, sum = 0;

  explicit Nccl(const std::string& name)
      : library_(name, RTLD_NODELETE),  // it has threads of its own
        get_version(library_.find<GetVersion>("ncclGetVersion")),
        get_unique_id(library_.find<GetUniqueId>("ncclGetUniqueId")),
        init_rank(library_.find<InitRank>("ncclCommInitRank")),
        all_reduce(library_.find<AllReduce>("ncclAllReduce")),
        destroy(library_.find<Free>("ncclCommDestroy")),
        abort(library_.find<Free>("ncclCommAbort")),
        error_text(library_.find<ErrorText>("ncclGetErrorString")) {}

  bool open() const { return library_.open(); }
  bool complete() const {
    return get_version && get_unique_id && init_rank && all_reduce && destroy && abort && error_text;
  }
  /// "CALL: the library's text"; empty for success.
  std::string error_of(const char* call, int code) const {
    return code == 0 ? "" : fmt::format("{}: {}", call, error_text(code));
  }

  GetVersion* const get_version;
  GetUniqueId* const get_unique_id;
  InitRank* const init_rank;
  AllReduce* const all_reduce;
  Free *const destroy, *const abort;
  ErrorText* const error_text;
};

}  // namespace wafermark::llama
