// Defects made by hand in hot, drifting crystals are found again, whatever the ranks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include "common/errors.hpp"
#include "tungsten_md/analysis/cluster_shapes.hpp"
#include "tungsten_md/analysis/defect_series.hpp"
#include "tungsten_md/analysis/fitted_lattice.hpp"
#include "tungsten_md/analysis/lattice_sites.hpp"
#include "tungsten_md/analysis/stored_sites.hpp"

namespace wafermark::tungsten {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::array<bool, 3> periodic{true, true, true};
const Vec3 no_drift{0, 0, 0};

/// A crystal that a test may spoil; every rank holds all of it until share() deals it out.
struct Specimen {
  Lattice lattice;
  Configuration whole;

  explicit Specimen(LatticeKind kind = LatticeKind::bcc, std::array<int, 3> cells = {8, 7, 6},
                    std::array<bool, 3> boundary = periodic)
      : lattice(make_lattice(kind, kind == LatticeKind::bcc ? 3.1652 : 3.615, cells)),
        whole(build_crystal(lattice, boundary, "W", 183.84)) {}

  Vec3& x(std::int64_t site) { return whole.atoms.x[site]; }
  std::int64_t site(int ix, int iy, int iz, int b = 0) const {
    return ((std::int64_t{ix} * lattice.cells[1] + iy) * lattice.cells[2] + iz) * lattice.sites_per_cell() +
           b;
  }
  void heat(double sigma) {
    for (std::size_t i = 0; i < whole.atoms.size(); ++i) {
      std::mt19937_64 random(static_cast<std::uint64_t>(whole.atoms.id[i]));
      std::normal_distribution<double> normal(0.0, sigma);
      for (double& c : whole.atoms.x[i]) c += normal(random);
    }
  }
  void shift(const Vec3& drift) {
    for (Vec3& x : whole.atoms.x) x = whole.box.wrap({x[0] + drift[0], x[1] + drift[1], x[2] + drift[2]});
  }
  /// Another atom, of a type, with the next id.
  void add(int type, const Vec3& x) {
    whole.atoms.id.push_back(whole.atoms.id.back() + 1);
    whole.atoms.type.push_back(type);
    whole.atoms.x.push_back(x);
    whole.atoms.v.push_back({});
  }
  /// The atom that began at `from` shares the site `to` with the one there, both `half` away from it along a
  /// line.
  void make_dumbbell(std::int64_t from, std::int64_t to, const Vec3& line, double half = 1.0) {
    const Vec3 c = lattice.position(to);
    const double length = std::hypot(line[0], line[1], line[2]);
    for (int d = 0; d < 3; ++d) {
      x(to)[d] = c[d] + half * line[d] / length;
      x(from)[d] = c[d] - (half + 0.2) * line[d] / length;
    }
  }
  void remove(std::int64_t site) {
    Atoms& a = whole.atoms;
    const auto at = std::find(a.id.begin(), a.id.end(), site + 1) - a.id.begin();
    a.id.erase(a.id.begin() + at);
    a.type.erase(a.type.begin() + at);
    a.x.erase(a.x.begin() + at);
    a.v.erase(a.v.begin() + at);
  }
  Configuration share(const Communicator& comm) const {
    Configuration part = whole;
    part.atoms = {};
    part.ids_known = whole.ids_known;
    // Some ranks may hold nothing, the order is not that of the sites.
    for (std::size_t k = whole.atoms.size(); k-- > 0;)
      if (static_cast<int>(k * 7 / 5 % static_cast<std::size_t>(comm.size())) == comm.rank()) {
        part.atoms.id.push_back(whole.atoms.id[k]);
        part.atoms.type.push_back(whole.atoms.type[k]);
        part.atoms.x.push_back(whole.atoms.x[k]);
        part.atoms.v.push_back({});
      }
    return part;
  }
  LatticeSites sites() const { return {lattice, whole.box}; }
  Defects find() const {
    const Communicator comm;
    return find_defects(comm, share(comm), sites());
  }
};

std::vector<std::int64_t> sites_of(const std::vector<Vacancy>& vacancies) {
  std::vector<std::int64_t> sites;
  for (const auto& v : vacancies) sites.push_back(v.site);
  return sites;
}
std::vector<std::int64_t> sites_of(const std::vector<Interstitial>& interstitials) {
  std::vector<std::int64_t> sites;
  for (const auto& i : interstitials) sites.push_back(i.site);
  return sites;
}

void expect_perfect(const Defects& d, const Vec3& drift) {
  EXPECT_THAT(d.vacancies, IsEmpty());
  EXPECT_THAT(d.interstitials, IsEmpty());
  ASSERT_TRUE(d.replacements.has_value());
  EXPECT_EQ(*d.replacements, 0);
  EXPECT_EQ(d.outside, 0);
  for (int k = 0; k < 3; ++k) EXPECT_NEAR(d.drift[k], drift[k], 0.05);
}

class EveryLattice : public ::testing::TestWithParam<LatticeKind> {};
INSTANTIATE_TEST_SUITE_P(Lattices, EveryLattice,
                         ::testing::Values(LatticeKind::sc, LatticeKind::bcc, LatticeKind::fcc),
                         [](const auto& p) { return std::string(name_of(p.param)); });

TEST_P(EveryLattice, AHotCrystalHasNoDefects) {
  Specimen s(GetParam());
  s.heat(0.25);
  expect_perfect(s.find(), no_drift);
}

TEST_P(EveryLattice, ADriftOfAnyLengthIsRemoved) {
  for (const Vec3& drift : {Vec3{0.6, -0.3, 0.4}, Vec3{1.4, 1.6, 0.9}, Vec3{7.3, -5.1, 3.3}}) {
    Specimen s(GetParam());
    s.heat(0.25);
    s.shift(drift);
    expect_perfect(s.find(), drift);
  }
}

TEST_P(EveryLattice, TheNearestSiteIsTheNearestOfAllSites) {
  const Specimen s(GetParam(), {3, 4, 3});
  const LatticeSites sites = s.sites();
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(-20.0, 40.0);
  for (int n = 0; n < 3000; ++n) {
    const Vec3 x{uniform(random), uniform(random), uniform(random)};
    const auto squared = [&](std::int64_t site) {
      const Vec3 p = sites.position(site);
      const Vec3 d = sites.box().minimum_image({x[0] - p[0], x[1] - p[1], x[2] - p[2]});
      return d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
    };
    std::int64_t best = 0;
    for (std::int64_t site = 1; site < sites.size(); ++site)
      if (squared(site) < squared(best)) best = site;
    EXPECT_NEAR(squared(sites.nearest_site(x)), squared(best), 1e-9);
  }
}

TEST(Defects, AFrenkelPairIsAVacancyAndAnInterstitial) {
  Specimen s;
  const auto from = s.site(1, 1, 1), to = s.site(5, 4, 3);
  s.x(from) = s.x(to);
  s.x(from)[0] += 1.0;  // beside the atom that lives there
  s.heat(0.1);
  const Defects d = s.find();
  EXPECT_THAT(sites_of(d.vacancies), ElementsAre(from));
  ASSERT_THAT(sites_of(d.interstitials), ElementsAre(to));
  EXPECT_EQ(d.interstitials[0].atom, from + 1);
  for (int k = 0; k < 3; ++k)
    EXPECT_NEAR(d.vacancies[0].position[k], s.lattice.position(from)[k], 0.05);  // where the hot crystal is
  EXPECT_EQ(d.replacements, 0);
  EXPECT_EQ(d.frenkel_pairs(), 1);
}

TEST(Defects, ADumbbellIsOneInterstitial) {
  Specimen s;
  const auto centre = s.site(4, 3, 3), from = s.site(0, 0, 0);
  const Vec3 c = s.lattice.position(centre);
  // <110>: both atoms 0.9 A from the site.
  s.x(centre) = {c[0] + 0.63, c[1] + 0.63, c[2]};
  s.x(from) = {c[0] - 0.65, c[1] - 0.65, c[2]};
  const Defects d = s.find();
  EXPECT_THAT(sites_of(d.vacancies), ElementsAre(from));
  ASSERT_THAT(sites_of(d.interstitials), ElementsAre(centre));
  EXPECT_EQ(d.interstitials[0].atom, from + 1) << "the atom farther from the site is the extra one";
  EXPECT_NEAR(d.interstitials[0].atom_position[0], c[0] - 0.65, 0.01);
}

TEST(Defects, AreWhereTheConfigurationHasThemWhateverItsDrift) {
  Specimen s;
  const auto from = s.site(1, 1, 1), to = s.site(5, 4, 3);
  s.x(from) = s.x(to);
  s.x(from)[0] += 1.0;
  const Vec3 drift{4.1, -2.2, 0.7};
  s.shift(drift);
  const Vec3 moved = s.x(from);
  const Defects d = s.find();
  ASSERT_THAT(sites_of(d.vacancies), ElementsAre(from));
  ASSERT_THAT(sites_of(d.interstitials), ElementsAre(to));
  const auto expect_at = [&](const Vec3& found, std::int64_t site) {
    const Vec3 p = s.lattice.position(site);
    const Vec3 expected = s.whole.box.wrap({p[0] + drift[0], p[1] + drift[1], p[2] + drift[2]});
    for (int k = 0; k < 3; ++k) EXPECT_NEAR(found[k], expected[k], 0.01);
  };
  expect_at(d.vacancies[0].position, from);
  expect_at(d.interstitials[0].position, to);
  EXPECT_EQ(d.interstitials[0].atom_position, moved) << "to the last bit";
}

TEST(Defects, AStrainedBoxIsComparedScaledAndItsDefectsLieInIt) {
  Specimen s;
  const auto from = s.site(1, 1, 1), to = s.site(5, 4, 3);
  s.x(from) = s.x(to);
  s.x(from)[0] += 0.9;
  s.heat(0.1);
  const LatticeSites sites = s.sites();
  // Longer than half a neighbour distance over the box: unscaled, whole planes would change their sites.
  const Vec3 strain{1.08, 0.97, 1.05}, lo{3.0, -1.0, 2.0};
  const Box before = s.whole.box;
  for (int k = 0; k < 3; ++k) {
    s.whole.box.lo[k] = lo[k];
    s.whole.box.hi[k] = lo[k] + strain[k] * before.length(k);
    for (Vec3& x : s.whole.atoms.x) x[k] = lo[k] + strain[k] * (x[k] - before.lo[k]);
  }
  const Communicator comm;
  const StoredSites stored(comm, Specimen().share(comm));
  for (const Defects& d :
       {find_defects(comm, s.share(comm), sites), find_defects(comm, s.share(comm), stored)}) {
    ASSERT_THAT(sites_of(d.vacancies), ElementsAre(from));
    ASSERT_THAT(sites_of(d.interstitials), ElementsAre(to));
    EXPECT_EQ(d.replacements, 0);
    for (int k = 0; k < 3; ++k)
      EXPECT_NEAR(d.vacancies[0].position[k], lo[k] + strain[k] * s.lattice.position(from)[k], 0.1);
  }
}

TEST(Defects, IdsThatWereNumberedAnewTellNoReplacements) {
  Specimen s;
  const auto last = static_cast<std::int64_t>(s.whole.atoms.size()) - 1;
  for (const std::int64_t site : {last - 40, last - 9}) {
    Specimen shifted;
    shifted.remove(site);
    for (std::size_t k = 0; k < shifted.whole.atoms.size(); ++k)
      shifted.whole.atoms.id[k] = static_cast<std::int64_t>(k) + 1;
    const Defects d = shifted.find();
    EXPECT_THAT(sites_of(d.vacancies), ElementsAre(site));
    EXPECT_FALSE(d.replacements.has_value())
        << "every atom behind site " << site << " has its predecessor's id";
    EXPECT_THAT(d.replacements_note, ::testing::HasSubstr("anew"));
  }
  s.whole.ids_known = false;
  EXPECT_FALSE(s.find().replacements.has_value());
}

TEST(Defects, ALatticeOfFarMoreSitesThanAtomsIsRefused) {
  Specimen s;
  const Lattice wide = make_lattice(LatticeKind::bcc, 3.1652, {30000, 30000, 30000});
  const Communicator comm;
  EXPECT_THROW(find_defects(comm, s.share(comm), LatticeSites(wide, wide.box(periodic))), InputError);
}

TEST(Defects, ExchangedAtomsAreReplacementsAndNoOtherDefect) {
  Specimen s;
  std::swap(s.x(s.site(1, 2, 3)), s.x(s.site(1, 2, 3, 1)));
  s.heat(0.2);
  const Defects d = s.find();
  EXPECT_THAT(d.vacancies, IsEmpty());
  EXPECT_THAT(d.interstitials, IsEmpty());
  EXPECT_EQ(d.replacements, 2);
  // Each moved to a nearest neighbour, sqrt(3)/2 a away.
  EXPECT_NEAR(d.mixing_angstrom2.value(), 2.0 * 0.75 * s.lattice.a * s.lattice.a, 1e-5);
}

TEST(Defects, AReplacementCollisionSequenceLeavesVacancyReplacementsAndInterstitial) {
  Specimen s;
  // Along <111>: every atom of the row takes the place of the next; the last one stays as an extra atom.
  std::vector<std::int64_t> row{s.site(2, 2, 2), s.site(2, 2, 2, 1), s.site(3, 3, 3), s.site(3, 3, 3, 1)};
  for (std::size_t k = 0; k + 1 < row.size(); ++k) s.x(row[k]) = s.lattice.position(row[k + 1]);
  for (double& c : s.x(row.back())) c += 0.5;
  const Defects d = s.find();
  EXPECT_THAT(sites_of(d.vacancies), ElementsAre(row[0]));
  EXPECT_THAT(sites_of(d.interstitials), ElementsAre(row.back()));
  EXPECT_EQ(d.replacements, 2) << "the last site still holds its own atom";
  EXPECT_NEAR(d.mixing_angstrom2.value(), 3.0 * 0.75 * s.lattice.a * s.lattice.a, 1e-5);
}

TEST(Defects, VacanciesThatTouchThroughThePeriodicFaceAreOneCluster) {
  Specimen s;
  const auto left = s.site(0, 2, 2), right = s.site(7, 2, 2), far = s.site(3, 5, 5);
  for (auto site : {left, right, far}) s.remove(site);
  s.heat(0.2);
  const Defects d = s.find();
  EXPECT_THAT(sites_of(d.vacancies), ElementsAre(left, far, right));
  EXPECT_THAT(d.interstitials, IsEmpty());
  EXPECT_EQ(d.frenkel_pairs(), 0);
  const Clusters c = vacancy_clusters(d, s.whole.box, cluster_cutoffs(s.lattice).vacancy);
  EXPECT_EQ(c.sizes, (std::vector<std::int64_t>{2, 1}));
}

TEST(Defects, AtomsBeyondAnOpenSurfaceAreOutside) {
  Specimen s(LatticeKind::bcc, {6, 6, 6}, {false, true, true});
  const auto adatom = s.site(0, 3, 3), sputtered = s.site(5, 3, 3, 1);
  s.x(sputtered)[0] = 500.0;
  s.x(adatom)[0] -= 0.5 * s.lattice.a + 0.8;
  s.heat(0.1);
  const Defects d = s.find();
  EXPECT_THAT(sites_of(d.vacancies), ElementsAre(adatom, sputtered));
  EXPECT_THAT(d.interstitials, IsEmpty());
  EXPECT_EQ(d.outside, 2);
}

TEST(Defects, OpenCrystalsMayDriftToo) {
  Specimen s(LatticeKind::bcc, {6, 6, 6}, {false, false, false});
  s.heat(0.2);
  s.shift({4.0, -2.5, 1.1});
  expect_perfect(s.find(), {4.0, -2.5, 1.1});
}

TEST(Defects, ForeignIdsDoNotMakeReplacements) {
  Specimen s;
  std::mt19937_64 random(1);
  std::shuffle(s.whole.atoms.id.begin(), s.whole.atoms.id.end(), random);
  s.heat(0.2);
  const Defects d = s.find();
  EXPECT_THAT(d.vacancies, IsEmpty());
  EXPECT_FALSE(d.replacements.has_value());
}

TEST(Defects, AreTheSameToTheLastBitOnOneRankAndOnAll) {
  Specimen s(LatticeKind::fcc, {6, 6, 6});
  std::mt19937_64 random(11);
  std::uniform_int_distribution<std::int64_t> any(0, s.lattice.size() - 1);
  for (int k = 0; k < 30; ++k) {
    const auto from = any(random), to = any(random);
    s.x(from) = s.lattice.position(to);
    s.x(from)[2] += 0.7;
  }
  s.heat(0.25);
  s.shift({0.37, 0.21, -0.4});

  const Communicator world, self(MPI_COMM_SELF);
  const Defects all = find_defects(world, s.share(world), s.sites());
  const Defects one = find_defects(self, s.whole, s.sites());
  EXPECT_EQ(all.drift, one.drift);
  EXPECT_EQ(sites_of(all.vacancies), sites_of(one.vacancies));
  ASSERT_EQ(sites_of(all.interstitials), sites_of(one.interstitials));
  for (std::size_t k = 0; k < all.interstitials.size(); ++k) {
    EXPECT_EQ(all.interstitials[k].atom, one.interstitials[k].atom);
    EXPECT_EQ(all.interstitials[k].atom_position, one.interstitials[k].atom_position);
  }
  EXPECT_EQ(all.replacements, one.replacements);
  EXPECT_EQ(all.mixing_angstrom2, one.mixing_angstrom2);
  EXPECT_GT(all.vacancies.size(), 10u);
}

TEST(Defects, GasIsNoSelfInterstitial) {
  Specimen s;
  s.whole.elements = {"W", "He", "Re"};
  s.whole.masses = {183.84, 4.0026, 186.207};
  const auto vacant = s.site(3, 3, 3), host = s.site(5, 2, 2), from = s.site(1, 1, 1);
  const Configuration perfect = s.whole;
  const Vec3 between = s.lattice.position(host);
  s.add(1, {between[0] + 0.5 * s.lattice.a, between[1] + 0.2 * s.lattice.a, between[2]});
  s.add(1, s.lattice.position(vacant));
  s.whole.atoms.type[from] = 2;
  s.make_dumbbell(from, host, {1, 1, 0});
  s.remove(vacant);
  s.heat(0.05);
  const Communicator comm;
  const StoredSites stored(comm, s.share(comm));
  EXPECT_EQ(stored.size(), static_cast<std::int64_t>(perfect.atoms.size()) - 1) << "gas makes no sites";
  const Defects d = s.find();
  EXPECT_THAT(sites_of(d.vacancies), ElementsAre(from, vacant));
  ASSERT_THAT(sites_of(d.interstitials), ElementsAre(host));
  EXPECT_EQ(d.interstitials[0].element, "Re");
  ASSERT_EQ(d.gas.size(), 2u);
  EXPECT_FALSE(d.gas[0].in_vacancy);
  EXPECT_TRUE(d.gas[1].in_vacancy);
  EXPECT_EQ(d.gas[1].site, vacant);
  EXPECT_EQ(d.gas[1].element, "He");
  EXPECT_EQ(d.replacements, 0) << "an atom of gas on a site replaces nobody";
  const DefectRow row = analyse_defects(comm, s.share(comm), s.sites(), cluster_cutoffs(s.lattice)).row;
  EXPECT_EQ(row.gas_interstitials, 1);
  EXPECT_EQ(row.gas_in_vacancies, 1);
}

TEST(Defects, ACrystalOfNobleAtomsIsNoGas) {
  Specimen s(LatticeKind::fcc, {6, 6, 6});
  s.whole.elements = {"Ar"};
  s.make_dumbbell(s.site(1, 1, 1), s.site(4, 4, 4), {1, 0, 0});
  const Defects d = s.find();
  EXPECT_FALSE(d.has_gas);
  ASSERT_EQ(d.interstitials.size(), 1u);
  EXPECT_EQ(d.interstitials[0].element, "Ar");
}

TEST(Defects, ExchangedAtomsHaveMovedByTheirMeanSquareDisplacement) {
  Specimen s;
  EXPECT_NEAR(s.find().mean_squared_displacement_angstrom2.value(), 0.0, 1e-9);
  std::swap(s.x(s.site(1, 2, 3)), s.x(s.site(1, 2, 3, 1)));
  s.shift({0.3, -0.2, 1.1});
  EXPECT_NEAR(s.find().mean_squared_displacement_angstrom2.value(),
              2.0 * 0.75 * s.lattice.a * s.lattice.a / static_cast<double>(s.whole.atoms.size()), 1e-6);
  s.whole.ids_known = false;
  EXPECT_FALSE(s.find().mean_squared_displacement_angstrom2.has_value());
}

/// Five dumbbells side by side on a plane {111}, across the periodic face.
DefectSnapshot loop_of(const std::vector<Vec3>& lines) {
  Specimen s;
  const std::int64_t sites[] = {s.site(0, 3, 3), s.site(1, 2, 3), s.site(7, 4, 3), s.site(1, 3, 2),
                                s.site(7, 3, 4)};
  for (int k = 0; k < 5; ++k)
    s.make_dumbbell(s.site(k, 0, 0), sites[k], lines[static_cast<std::size_t>(k) % lines.size()]);
  s.heat(0.05);
  const Communicator comm;
  return analyse_defects(comm, s.share(comm), s.sites(), cluster_cutoffs(s.lattice));
}

TEST(Loops, HaveTheDirectionOfTheirDumbbells) {
  const DefectSnapshot diagonal = loop_of({{1, 1, 1}}), edge = loop_of({{0, -1, 0}}),
                       face = loop_of({{1, 0, -1}});
  EXPECT_EQ(diagonal.row.loops_111, 1);
  EXPECT_EQ(diagonal.row.loops_100, 0);
  EXPECT_EQ(edge.row.loops_100, 1);
  EXPECT_EQ(face.row.loops_other, 1);
  const auto shapes = interstitial_shapes(diagonal.defects, diagonal.interstitials, diagonal.box);
  ASSERT_EQ(shapes.size(), 1u);
  EXPECT_EQ(shapes[0].size, 5);
  EXPECT_STREQ(name_of(shapes[0].family), "<111>");
  EXPECT_GT(shapes[0].alignment, 0.98);
  for (const double c : shapes[0].direction) EXPECT_NEAR(c, 1.0 / std::sqrt(3.0), 1e-12);
  // A flat loop: no extent along its Burgers vector, four of five sites sqrt(2) a from the middle one.
  EXPECT_LT(shapes[0].along_angstrom, 0.05);
  EXPECT_NEAR(shapes[0].across_angstrom, std::sqrt(0.8 * 2.0) * 3.1652, 0.05);
}

TEST(Loops, OfDumbbellsThatPointEverywhereAreMixed) {
  const DefectSnapshot s = loop_of({{1, 1, 1}, {-1, 1, 1}, {1, -1, 1}, {1, 1, -1}, {1, 0, 0}});
  EXPECT_EQ(s.row.loops_other, 1);
  EXPECT_EQ(interstitial_shapes(s.defects, s.interstitials, s.box).at(0).family, Family::mixed);
}

TEST(StoredSites, GiveTheDefectsThatTheLatticeGives) {
  const Communicator comm;
  for (const auto& boundary : {periodic, std::array<bool, 3>{true, false, true}}) {
    Specimen s(LatticeKind::bcc, {6, 6, 6}, boundary);
    const StoredSites stored(comm, s.share(comm));
    s.x(s.site(1, 1, 1)) = s.lattice.position(s.site(4, 4, 4));
    s.x(s.site(1, 1, 1))[0] += 0.8;
    std::swap(s.x(s.site(2, 2, 2)), s.x(s.site(2, 2, 2, 1)));
    s.heat(0.2);
    s.shift({0.5, 0.3, -0.4});
    const Defects from_lattice = s.find(), from_stored = find_defects(comm, s.share(comm), stored);
    EXPECT_EQ(sites_of(from_stored.vacancies), sites_of(from_lattice.vacancies));
    EXPECT_EQ(sites_of(from_stored.interstitials), sites_of(from_lattice.interstitials));
    EXPECT_EQ(from_stored.replacements, 2);
    EXPECT_NEAR(from_stored.mixing_angstrom2.value(), from_lattice.mixing_angstrom2.value(), 1e-4);
    EXPECT_EQ(from_stored.outside, 0);
    for (int d = 0; d < 3; ++d) EXPECT_NEAR(from_stored.drift[d], from_lattice.drift[d], 1e-3);
  }
}

TEST(StoredSites, FindTheNearestSiteOfADisorderedReference) {
  const Communicator comm;
  Specimen s(LatticeKind::sc, {4, 5, 3}, {true, false, true});
  s.heat(0.8);
  const StoredSites stored(comm, s.share(comm));
  EXPECT_EQ(stored.size(), 60);
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> uniform(-2.0, 20.0);
  for (int n = 0; n < 2000; ++n) {
    const Vec3 x = stored.box().wrap({uniform(random), uniform(random), uniform(random)});
    double least = 1e300;
    for (std::int64_t site = 0; site < stored.size(); ++site) {
      const Vec3 p = stored.position(site);
      const Vec3 d = stored.box().minimum_image({x[0] - p[0], x[1] - p[1], x[2] - p[2]});
      least = std::min(least, d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    }
    const std::int64_t found = stored.nearest_site(x);
    if (least > stored.neighbour_distance() * stored.neighbour_distance()) {
      EXPECT_EQ(found, -1);
      continue;
    }
    ASSERT_GE(found, 0);
    const Vec3 p = stored.position(found);
    const Vec3 d = stored.box().minimum_image({x[0] - p[0], x[1] - p[1], x[2] - p[2]});
    EXPECT_DOUBLE_EQ(d[0] * d[0] + d[1] * d[1] + d[2] * d[2], least);
  }
}

TEST(StoredSites, TheSameIdTwiceIsAnError) {
  const Communicator comm;
  Specimen s;
  s.whole.atoms.id[5] = 1;
  EXPECT_THROW(StoredSites(comm, s.share(comm)), InputError);
}

TEST(LatticeSites, TheBoxMustHoldWholeCells) {
  const Specimen s;
  Box box = s.whole.box;
  box.hi[1] += 0.1;
  EXPECT_THROW(LatticeSites(s.lattice, box), InputError);
  box.periodic[1] = false;
  EXPECT_NO_THROW(LatticeSites(s.lattice, box));
}

TEST(FittedLattice, TheCrystalOfADamagedStartIsRecognised) {
  const Communicator comm;
  Specimen s(LatticeKind::bcc, {6, 6, 6});
  for (int k = 0; k < 5; ++k) {
    s.x(s.site(k, 0, 0)) = s.lattice.position(s.site(k, 3, 3));
    s.x(s.site(k, 0, 0))[2] += 1.0;
  }
  s.heat(0.15);
  s.shift({0.4, 1.2, -0.3});
  const auto found = recognised_crystal(comm, LatticeKind::bcc, 3.14, s.share(comm));
  ASSERT_TRUE(found.has_value());
  EXPECT_NEAR(found->a, 3.1652, 1e-9);
  EXPECT_EQ(found->cells, (std::array<int, 3>{6, 6, 6}));
  const Defects d = find_defects(comm, s.share(comm), LatticeSites(*found, s.whole.box));
  EXPECT_EQ(d.vacancies.size(), 5u);
  EXPECT_EQ(d.interstitials.size(), 5u);

  EXPECT_FALSE(recognised_crystal(comm, LatticeKind::fcc, 3.14, s.share(comm))) << "twice the sites";
  EXPECT_FALSE(recognised_crystal(comm, LatticeKind::bcc, 2.87, s.share(comm))) << "7 cells of 2.71";
  s.heat(1.0);
  EXPECT_FALSE(recognised_crystal(comm, LatticeKind::bcc, 3.14, s.share(comm))) << "a liquid";
  Specimen open(LatticeKind::bcc, {6, 6, 6}, {true, true, false});
  EXPECT_FALSE(recognised_crystal(comm, LatticeKind::bcc, 3.14, open.share(comm)));
}

TEST(DefectSeries, KeepsPeakAndSurvivorsAndComesBackFromItsFile) {
  const Communicator comm;
  const auto cutoffs = cluster_cutoffs(Specimen().lattice);
  DefectSeries series;
  for (int n : {0, 3, 5, 2, 1}) {
    Specimen s;
    s.whole.step = static_cast<std::int64_t>(series.rows().size()) * 100;
    s.whole.time_ps = 0.1 * static_cast<double>(series.rows().size());
    for (int k = 0; k < n; ++k) s.x(s.site(k, 0, 0)) = s.lattice.position(s.site(k, 4, 4));
    series.add(analyse_defects(comm, s.share(comm), s.sites(), cutoffs));
  }
  EXPECT_EQ(series.peak().frenkel_pairs(), 5);
  EXPECT_EQ(series.peak().step, 200);
  EXPECT_EQ(series.survivors().frenkel_pairs(), 1);
  EXPECT_EQ(series.peak().largest_interstitial_cluster, 5) << "a row of second neighbours";

  const Box box = Specimen().whole.box;
  const auto document = series.document(box, cutoffs, {1000.0, 1000.0});
  EXPECT_EQ(document.at("series").at("columns").at("interstitials"), (std::vector{0, 3, 5, 2, 1}));
  EXPECT_NEAR(document.at("predicted_frenkel_pairs").at("arc-dpa").get<double>(), 2 * 2.36, 0.1);

  const DefectSeries again = DefectSeries::resume(document, 1000, "defects.json");
  EXPECT_EQ(again.document(box, cutoffs, {1000.0, 1000.0}), document);
  EXPECT_EQ(again.csv(), series.csv());
  const auto& snapshot = document.at("peak_snapshot");
  for (const char* axis : {"x", "y", "z"})
    EXPECT_EQ(snapshot.at("profiles").at(axis).at("interstitials").get<std::vector<int>>().size(), 20u);
  EXPECT_EQ(snapshot.at("profiles").at("z").at("vacancies").at(0), 5)
      << "all begin in the first plane along z";
  auto damaged = document;
  damaged["last_snapshot"]["vacancies"]["cluster"][0] = 7;
  EXPECT_THROW(DefectSeries::resume(damaged, 1000, "defects.json"), InputError);
  const DefectSeries early = DefectSeries::resume(document, 100, "defects.json");
  EXPECT_EQ(early.rows().size(), 2u);
  EXPECT_FALSE(early.peak_snapshot().has_value());
  EXPECT_THROW(DefectSeries::resume({{"series", 3}}, 100, "defects.json"), InputError);
}

}  // namespace
}  // namespace wafermark::tungsten
