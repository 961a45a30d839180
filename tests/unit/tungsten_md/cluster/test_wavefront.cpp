// No force before its densities, no term overwritten before its force, nothing left out.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tungsten_md/cluster/wavefront.hpp"

namespace wafermark::tungsten {
namespace {

constexpr int lanes = 4, ghosts = 50;

/// A half list in which atom i has later neighbours up to `reach` atoms away; every 97th atom has a ghost
/// beside them.
VerletList chain(int atoms, int reach) {
  std::vector<int> entry, owner;
  for (int i = 0; i < atoms; ++i) {
    std::vector<int> row;
    for (int step = 1; step <= reach && i + step < atoms; step += 1 + reach / (5 + i % 7))
      row.push_back(i + step);
    if (i % 97 == 0) row.push_back(atoms + i % ghosts);
    do row.push_back(atoms + ghosts);
    while (row.size() % lanes != 0);
    owner.insert(owner.end(), row.size() / lanes, i);
    entry.insert(entry.end(), row.begin(), row.end());
  }
  VerletList list;
  list.kind = ListKind::half;
  list.pack = lanes;
  list.packs = static_cast<std::int64_t>(owner.size());
  list.entry = Kokkos::View<int*, MemSpace>("entry", entry.size());
  list.owner = Kokkos::View<int*, MemSpace>("owner", owner.size());
  const auto fill = [](const Kokkos::View<int*, MemSpace>& to, const std::vector<int>& from) {
    Kokkos::deep_copy(to,
                      Kokkos::View<const int*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
                          from.data(), from.size()));
  };
  fill(list.entry, entry);
  fill(list.owner, owner);
  return list;
}

struct Chunk {
  int first_atom, last_atom;
  bool has_ghosts;
};
std::vector<Chunk> chunks_of(const VerletList& list, int atoms) {
  const auto entry = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), list.entry);
  const auto owner = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), list.owner);
  std::vector<Chunk> out;
  for (int c = 0; c < list.chunks(); ++c) {
    Chunk chunk{atoms, 0, false};
    for (auto pack = list.first_pack(c); pack < list.first_pack(c + 1); ++pack) {
      chunk.first_atom = std::min(chunk.first_atom, owner(static_cast<std::size_t>(pack)));
      chunk.last_atom = std::max(chunk.last_atom, owner(static_cast<std::size_t>(pack)));
      for (int l = 0; l < lanes; ++l) {
        const int j = entry(static_cast<std::size_t>(pack * lanes + l));
        if (j < atoms) chunk.last_atom = std::max(chunk.last_atom, j);
        chunk.has_ghosts = chunk.has_ghosts || (j >= atoms && j < atoms + ghosts);
      }
    }
    out.push_back(chunk);
  }
  return out;
}

class AWavefront : public testing::TestWithParam<std::pair<int, int>> {};

TEST_P(AWavefront, ComputesEachChunkWhenItsAtomsAreComplete) {
  const auto [atoms, reach] = GetParam();
  const VerletList list = chain(atoms, reach);
  const Wavefront wave = Wavefront::over(list, atoms, ghosts);
  const std::vector<Chunk> chunks = chunks_of(list, atoms);
  Wavefront::Stage before{0, 0, 0};
  for (const Wavefront::Stage& stage : wave.stages) {
    ASSERT_GE(wave.ring,
              (stage.density_chunks - before.force_chunks) * std::int64_t{VerletList::packs_of_a_chunk});
    for (int c = stage.density_chunks; c < list.chunks(); ++c)
      ASSERT_GE(chunks[static_cast<std::size_t>(c)].first_atom, stage.embedded_atoms)
          << "densities of later chunks";
    for (int c = before.force_chunks; c < stage.force_chunks; ++c) {
      ASSERT_LT(c, stage.density_chunks);
      const Chunk& chunk = chunks[static_cast<std::size_t>(c)];
      ASSERT_TRUE(chunk.has_ghosts || chunk.last_atom < stage.embedded_atoms) << "chunk " << c;
    }
    before = stage;
  }
  EXPECT_EQ(before.density_chunks, list.chunks());
  EXPECT_EQ(before.embedded_atoms, atoms);
  EXPECT_EQ(before.force_chunks, list.chunks());
  const auto outer = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), wave.outer);
  std::vector<int> listed(outer.data(), outer.data() + outer.extent(0)), expected;
  for (int c = 0; c < list.chunks(); ++c)
    if (chunks[static_cast<std::size_t>(c)].has_ghosts) expected.push_back(c);
  EXPECT_EQ(listed, expected);
}

INSTANTIATE_TEST_SUITE_P(Lists, AWavefront,
                         testing::Values(std::pair{1, 5}, std::pair{3, 1}, std::pair{700, 40},
                                         std::pair{40000, 300}, std::pair{40000, 39999},
                                         std::pair{90000, 5}));

TEST(AWavefront, KeepsTermsOfAPartOfALongListOnly) {
  const VerletList list = chain(90000, 100);
  EXPECT_LT(Wavefront::over(list, 90000, ghosts).ring, list.packs / 4);
}

}  // namespace
}  // namespace wafermark::tungsten
