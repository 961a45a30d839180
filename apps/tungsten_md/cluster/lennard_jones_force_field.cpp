#include "tungsten_md/cluster/lennard_jones_force_field.hpp"

#include "tungsten_md/cluster/many_steps.hpp"
#include "tungsten_md/cluster/pair_loop.hpp"
#include "tungsten_md/cluster/site_arrays.hpp"
#include "tungsten_md/cluster/step_graph.hpp"
#include "tungsten_md/kernels/lennard_jones.hpp"

namespace wafermark::tungsten {
namespace {

template <class Real>
struct LennardJonesConstants {
  Real sigma_squared, four_epsilon, shift, cutoff_squared;

  explicit LennardJonesConstants(const LennardJones& c)
      : sigma_squared(static_cast<Real>(c.sigma_angstrom * c.sigma_angstrom)),
        four_epsilon(static_cast<Real>(4.0 * c.epsilon_ev)),
        shift(static_cast<Real>(c.shift_ev())),
        cutoff_squared(static_cast<Real>(c.cutoff_angstrom * c.cutoff_angstrom)) {}
};

template <class Precision, ListKind list_kind>
struct LennardJonesPairs : PairLoop<Precision, list_kind> {
  using Base = PairLoop<Precision, list_kind>;
  using typename Base::Pack;
  using typename Base::Real;
  using typename Base::T;

  LennardJonesConstants<Real> lj;

  struct Row : Base::Row {
    T sigma_squared, four_epsilon, shift, cutoff_squared;
  };
  KOKKOS_FORCEINLINE_FUNCTION Row constants() const {
    return {Base::constants(), T(lj.sigma_squared), T(lj.four_epsilon), T(lj.shift), T(lj.cutoff_squared)};
  }
  KOKKOS_FORCEINLINE_FUNCTION static PairForce<T> pair(const Row& row, const Pack& q, std::int64_t) {
    const T r2 = Base::squared_distance(row, q), zero(Real(0));
    const auto inside = r2 < row.cutoff_squared;
    const LennardJonesPair<T> p = lennard_jones(r2, row.sigma_squared, row.four_epsilon);
    return {select(inside, T(p.phi - row.shift), zero), select(inside, p.force_over_r, zero)};
  }
};

/// Of one atom after the other (step_passes.hpp).
template <class Precision>
struct LennardJonesOfAtoms {
  static constexpr bool has_density = false;
  ForcePass<LennardJonesPairs<Precision, ListKind::full>> forces;
  template <class RowLanes>
  KOKKOS_FORCEINLINE_FUNCTION void force(int i, const RowLanes& lanes) const {
    forces.of_atom(i, lanes);
  }
};

template <class Precision>
class LennardJonesField final : public ForceField {
 public:
  explicit LennardJonesField(const LennardJones& c) : constants_(c), cutoff_(c.cutoff_angstrom) {}

  double cutoff() const override { return cutoff_; }
  SitePlacer placer() const override { return arrays_.placer(); }
  std::size_t bytes() const override { return arrays_.bytes(); }
  void prepare(const Particles& p, const VerletList& list, const CellGrid&) override {
    arrays_.prepare(p, list);
  }

  StepsMade make_steps(const StepOfRank& step, const StepsAsked& asked, const VerletList& list,
                       const GhostExchange&) override {
    return run_many_steps(step, of_atoms(step.particles(), list), asked, list.lanes);
  }
  StepGraph graph_of(const StepOfRank& step, const VerletList& list, const GhostExchange&) override {
    return make_step_graph(step, of_atoms(step.particles(), list), list.lanes);
  }

 private:
  LennardJonesOfAtoms<Precision> of_atoms(const Particles& p, const VerletList& list) const {
    return {{{{arrays_.sites(), list, p.n_local}, constants_}, p.f}};
  }
  void run(Particles& p, const VerletList& list, GhostExchange&, PairSums* sums) override {
    list.kind == ListKind::half ? run_pairs<ListKind::half>(p, list, sums)
                                : run_pairs<ListKind::full>(p, list, sums);
  }
  template <ListKind kind>
  void run_pairs(Particles& p, const VerletList& list, PairSums* sums) {
    if constexpr (kind == ListKind::half) arrays_.clear_forces();
    const LennardJonesPairs<Precision, kind> pairs{{arrays_.sites(), list, p.n_local}, constants_};
    sum_forces("lennard_jones", pairs, arrays_.force(), p, sums);
  }

  LennardJonesConstants<typename Precision::Real> constants_;
  double cutoff_;
  SiteArrays<Precision> arrays_;
};

}  // namespace

std::unique_ptr<ForceField> make_lennard_jones_field(const LennardJones& constants,
                                                     const std::string& precision) {
  if (precision == "double") return std::make_unique<LennardJonesField<DoublePrecision>>(constants);
  return std::make_unique<LennardJonesField<MixedPrecision>>(constants);
}

}  // namespace wafermark::tungsten
