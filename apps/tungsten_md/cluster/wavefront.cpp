#include "tungsten_md/cluster/wavefront.hpp"

#include <algorithm>
#include <bit>

namespace wafermark::tungsten {
namespace {

using IntView = Kokkos::View<int*, MemSpace>;

/// Of each chunk the last local atom among its pairs, and whether one of them is a ghost.
struct LookAtChunks {
  VerletList list;
  int n_local, dummy;
  IntView last, has_ghosts;
  KOKKOS_FUNCTION void operator()(int chunk) const {
    int highest = 0, ghost = 0;
    for (std::int64_t pack = list.first_pack(chunk); pack < list.first_pack(chunk + 1); ++pack) {
      if (list.owner(pack) > highest) highest = list.owner(pack);
      for (int l = 0; l < list.pack; ++l) {
        const int j = list.entry(pack * list.pack + l);
        if (j < n_local && j > highest) highest = j;
        if (j >= n_local && j < dummy) ghost = 1;
      }
    }
    last(chunk) = highest;
    has_ghosts(chunk) = ghost;
  }
};

/// Atoms before this one have all their densities when the first `chunks` chunks are done.
int complete_atoms(const VerletList& list, const Kokkos::View<int*, Kokkos::HostSpace>& owner, int chunks,
                   int n_local) {
  return chunks == list.chunks() ? n_local : owner(static_cast<std::size_t>(list.first_pack(chunks)));
}

}  // namespace

Wavefront Wavefront::over(const VerletList& list, int n_local, int n_ghost) {
  Wavefront wave;
  const int chunks = list.chunks();
  wave.has_ghosts = IntView("has_ghosts", chunks);
  const IntView last("last_atom", chunks);
  Kokkos::parallel_for("look_at_chunks", tungsten::over(chunks),
                       LookAtChunks{list, n_local, n_local + n_ghost, last, wave.has_ghosts});
  const auto owner = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), list.owner);
  const auto needs = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), last);
  const auto waits = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), wave.has_ghosts);

  // Few stages, as each is three kernels, and short ones, as the ring holds them.
  const int stride = std::max(384, chunks / 16);
  int forces = 0, most = 0;
  for (int densities = 0; densities < chunks;) {
    densities = std::min(densities + stride, chunks);
    most = std::max(most, densities - forces);
    const int atoms = complete_atoms(list, owner, densities, n_local);
    while (forces < densities && (waits(forces) != 0 || needs(forces) < atoms)) ++forces;
    wave.stages.push_back({densities, atoms, forces});
  }
  wave.ring = std::int64_t{std::bit_ceil(static_cast<unsigned>(most * VerletList::packs_of_a_chunk))};

  std::vector<int> outer;
  for (int c = 0; c < chunks; ++c)
    if (waits(c) != 0) outer.push_back(c);
  wave.outer = IntView(Kokkos::view_alloc(Kokkos::WithoutInitializing, "outer_chunks"), outer.size());
  Kokkos::deep_copy(wave.outer,
                    Kokkos::View<const int*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
                        outer.data(), outer.size()));
  return wave;
}

}  // namespace wafermark::tungsten
