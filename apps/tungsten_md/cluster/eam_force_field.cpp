#include "tungsten_md/cluster/eam_force_field.hpp"

#include <algorithm>

#include "tungsten_md/cluster/eam_passes.hpp"
#include "tungsten_md/cluster/many_steps.hpp"
#include "tungsten_md/cluster/memory_estimate.hpp"
#include "tungsten_md/cluster/site_arrays.hpp"
#include "tungsten_md/cluster/step_graph.hpp"
#include "tungsten_md/cluster/wavefront.hpp"

namespace wafermark::tungsten {
namespace {

template <class Precision>
class Eam final : public ForceField {
 public:
  using Real = typename Precision::Real;

  explicit Eam(const PotentialTables& t)
      : tables_(t),
        cutoff_(t.cutoff_angstrom),
        alloy_(t.elements.size() > 1),
        kept_of_a_pair_(static_cast<std::size_t>(wafermark::tungsten::kept_of_a_pair(t))) {}

  double cutoff() const override { return cutoff_; }
  SitePlacer placer() const override { return arrays_.placer(); }

  std::size_t bytes() const override {
    return arrays_.bytes() +
           sizeof(Real) * (rho_.size() + terms_.size() + tables_.radial.size() + tables_.embedding.size());
  }

  void prepare(const Particles& p, const VerletList& list, const CellGrid&) override {
    arrays_.prepare(p, list);
    const auto room = static_cast<std::size_t>(arrays_.room());
    if (rho_.extent(0) < room) rho_ = uninitialised<Real>("rho", room);
    if (list.kind == ListKind::full) return;
    wave_ = Wavefront::over(list, p.n_local, p.n_ghost);
    const std::int64_t packs = std::min(wave_.ring, list.packs);
    const std::size_t terms = static_cast<std::size_t>(packs * list.pack) * kept_of_a_pair_;
    if (terms_.extent(0) < terms) {
      terms_ = {};
      terms_ = uninitialised<Real>("radial_terms", terms);
    }
  }

  StepsMade make_steps(const StepOfRank& step, const StepsAsked& asked, const VerletList& list,
                       const GhostExchange& ghosts) override {
    const Particles& p = step.particles();
    return alloy_ ? run_many_steps(step, of_atoms<true>(p, list, ghosts), asked, list.lanes)
                  : run_many_steps(step, of_atoms<false>(p, list, ghosts), asked, list.lanes);
  }
  StepGraph graph_of(const StepOfRank& step, const VerletList& list, const GhostExchange& ghosts) override {
    const Particles& p = step.particles();
    return alloy_ ? make_step_graph(step, of_atoms<true>(p, list, ghosts), list.lanes)
                  : make_step_graph(step, of_atoms<false>(p, list, ghosts), list.lanes);
  }

 private:
  template <bool alloy>
  EamOfAtoms<Precision, alloy> of_atoms(const Particles& p, const VerletList& list,
                                        const GhostExchange& ghosts) const {
    const auto pairs = pairs_of<ListKind::full, alloy, Terms::computed>(p, list);
    const RealView<Real>& quads = arrays_.sites().quads;
    return {
        {pairs, rho_}, {rho_, quads, p.type, tables_}, {pairs, p.f}, ghosts.images(SlopeRecord<Real>{quads})};
  }

  void run(Particles& p, const VerletList& list, GhostExchange& ghosts, PairSums* sums) override {
    if (list.kind == ListKind::half)
      alloy_ ? run_half<true>(p, list, ghosts, sums) : run_half<false>(p, list, ghosts, sums);
    else
      alloy_ ? run_full<true>(p, list, ghosts, sums) : run_full<false>(p, list, ghosts, sums);
  }

  template <bool alloy>
  void run_full(Particles& p, const VerletList& list, GhostExchange& ghosts, PairSums* sums) {
    const auto pairs = pairs_of<ListKind::full, alloy, Terms::computed>(p, list);
    over_rows(p.n_local, list.lanes, DensityPass<Precision, alloy>{pairs, rho_},
              [](const auto& policy, const auto& pass) { Kokkos::parallel_for("density", policy, pass); });
    embed_atoms(p, 0, p.n_local, sums);
    ghosts.update_slopes(arrays_.sites().quads);
    sum_forces("force", pairs, arrays_.force(), p, sums);
  }

  template <bool alloy>
  void run_half(Particles& p, const VerletList& list, GhostExchange& ghosts, PairSums* sums) {
    arrays_.clear_forces();
    Kokkos::deep_copy(ExecSpace(), rho_, Real(0));
    const auto kept = pairs_of<ListKind::half, alloy, Terms::kept>(p, list);
    const HalfDensityPass<Precision, alloy> density{kept, rho_};
    const HalfForcePass<decltype(kept), ChunksWithoutGhosts> inner{kept, arrays_.force(), {wave_.has_ghosts}};
    Wavefront::Stage done{0, 0, 0};
    for (const Wavefront::Stage& next : wave_.stages) {
      const int atoms = next.embedded_atoms - done.embedded_atoms;
      run_energies("density", over_chunks(done.density_chunks, next.density_chunks, atoms), density, sums);
      embed_atoms(p, done.embedded_atoms, next.embedded_atoms, sums);
      run_pass("force", over_chunks(done.force_chunks, next.force_chunks, atoms), inner, sums);
      done = next;
    }
    ghosts.update_slopes(arrays_.sites().quads);
    const auto anew = pairs_of<ListKind::half, alloy, Terms::computed>(p, list);
    const int outer = wave_.outer.extent_int(0);
    const auto outer_atoms = std::int64_t{p.n_local} * outer / std::max(1, list.chunks());
    run_pass("force", over_chunks(0, outer, static_cast<int>(outer_atoms)),
             HalfForcePass<decltype(anew), ListedChunks>{anew, arrays_.force(), {wave_.outer}}, sums);
    collect_forces(arrays_.force(), p);
  }

  template <ListKind kind, bool alloy, Terms source>
  EamPairs<Precision, kind, alloy, source> pairs_of(const Particles& p, const VerletList& list) const {
    return {{arrays_.sites(), list, p.n_local}, terms_, wave_.ring, p.type, tables_};
  }

  void embed_atoms(const Particles& p, int begin, int end, PairSums* sums) const {
    run_energies("embedding", over(begin, end),
                 EmbeddingPass<Real>{rho_, arrays_.sites().quads, p.type, tables_}, sums);
  }

  /// Runs a pass whose reduction is an energy, by which `sums` grow where they are given.
  template <class Pass>
  static void run_energies(const char* label, const Kokkos::RangePolicy<ExecSpace>& range, const Pass& pass,
                           PairSums* sums) {
    if (sums == nullptr) {
      Kokkos::parallel_for(label, range, pass);
      return;
    }
    double energy = 0.0;
    Kokkos::parallel_reduce(label, range, pass, energy);
    sums->phi += energy;
  }

  EamTables<Real> tables_;
  double cutoff_;
  bool alloy_;
  std::size_t kept_of_a_pair_;
  SiteArrays<Precision> arrays_;
  Wavefront wave_;  ///< of half lists
  RealView<Real> rho_, terms_;
};

}  // namespace

std::unique_ptr<ForceField> make_eam(const PotentialTables& potential, const std::string& precision) {
  if (precision == "double") return std::make_unique<Eam<DoublePrecision>>(potential);
  return std::make_unique<Eam<MixedPrecision>>(potential);
}

}  // namespace wafermark::tungsten
