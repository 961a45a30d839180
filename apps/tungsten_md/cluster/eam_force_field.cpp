#include "tungsten_md/cluster/eam_force_field.hpp"

#include "tungsten_md/cluster/eam_passes.hpp"
#include "tungsten_md/cluster/memory_estimate.hpp"
#include "tungsten_md/cluster/site_arrays.hpp"

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

  std::size_t bytes() const override {
    return arrays_.bytes() +
           sizeof(Real) * (rho_.size() + terms_.size() + tables_.radial.size() + tables_.embedding.size());
  }

  void prepare(const Particles& p, const VerletList& list) override {
    arrays_.prepare(p, list);
    const auto room = static_cast<std::size_t>(arrays_.room());
    if (rho_.extent(0) < room) rho_ = uninitialised<Real>("rho", room);
    // Room for the pairs' radial terms, see EamPairs.
    const std::size_t terms = list.kind == ListKind::half ? list.entry.extent(0) * kept_of_a_pair_ : 0;
    if (terms_.extent(0) < terms) {
      terms_ = {};
      terms_ = uninitialised<Real>("radial_terms", terms);
    }
  }

  void compute(Particles& p, const VerletList& list, GhostExchange& ghosts) override {
    dispatch(p, list, ghosts, nullptr);
  }
  EnergyVirial compute_with_energy(Particles& p, const VerletList& list, GhostExchange& ghosts) override {
    EnergyVirial result;
    dispatch(p, list, ghosts, &result);
    return result;
  }

 private:
  void dispatch(Particles& p, const VerletList& list, GhostExchange& ghosts, EnergyVirial* result) {
    if (list.kind == ListKind::half)
      alloy_ ? run<ListKind::half, true>(p, list, ghosts, result)
             : run<ListKind::half, false>(p, list, ghosts, result);
    else
      alloy_ ? run<ListKind::full, true>(p, list, ghosts, result)
             : run<ListKind::full, false>(p, list, ghosts, result);
  }

  template <ListKind kind, bool alloy>
  void run(Particles& p, const VerletList& list, GhostExchange& ghosts, EnergyVirial* result) {
    arrays_.place(p, kind);
    if constexpr (kind == ListKind::half) Kokkos::deep_copy(ExecSpace(), rho_, Real(0));
    const Sites<Real>& sites = arrays_.sites();
    const EamPairs<Precision, kind, alloy> pairs{
        {sites, list, p.n_local}, terms_, p.type, tables_};
    double phi = 0.0;
    if constexpr (kind == ListKind::full) {
      Kokkos::parallel_for("density", over(p.n_local), DensityPass<Precision, alloy>{pairs, rho_});
    } else {
      const HalfDensityPass<Precision, alloy> density{pairs, rho_};
      if (result != nullptr)
        Kokkos::parallel_reduce("density", over(pairs.chunks()), density, phi);
      else
        Kokkos::parallel_for("density", over(pairs.chunks()), density);
    }

    const EmbeddingPass<Real> embedding{rho_, sites.quads, p.type, tables_};
    double embedded = 0.0;
    if (result != nullptr)
      Kokkos::parallel_reduce("embedding", over(p.n_local), embedding, embedded);
    else
      Kokkos::parallel_for("embedding", over(p.n_local), embedding);
    ghosts.update_slopes(sites.quads);

    sum_forces("force", pairs, arrays_.force(), p, result);
    if (result != nullptr) result->energy += embedded + phi;
  }

  EamTables<Real> tables_;
  double cutoff_;
  bool alloy_;
  std::size_t kept_of_a_pair_;
  SiteArrays<Precision> arrays_;
  RealView<Real> rho_, terms_;
};

}  // namespace

std::unique_ptr<ForceField> make_eam(const PotentialTables& potential, const std::string& precision) {
  if (precision == "double") return std::make_unique<Eam<DoublePrecision>>(potential);
  return std::make_unique<Eam<MixedPrecision>>(potential);
}

}  // namespace wafermark::tungsten
