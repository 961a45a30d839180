#include "tungsten_md/cluster/force_field.hpp"

#include <fmt/format.h>

#include "common/errors.hpp"
#include "tungsten_md/cluster/eam_passes.hpp"

namespace wafermark::tungsten {
namespace {

struct Extent {
  Vector3View x;
  int axis;
  KOKKOS_FUNCTION void operator()(int i, double& lowest, double& highest) const {
    if (x(i, axis) < lowest) lowest = x(i, axis);
    if (x(i, axis) > highest) highest = x(i, axis);
  }
};

template <class Precision>
class Eam final : public ForceField {
 public:
  using Real = typename Precision::Real;
  using RealView = Kokkos::View<Real*, MemSpace>;

  explicit Eam(const PotentialTables& t)
      : tables_(t), cutoff_(t.cutoff_angstrom), alloy_(t.elements.size() > 1) {}

  double cutoff() const override { return cutoff_; }

  std::size_t bytes() const override {
    return sizeof(Real) * (sites_.quads.size() + rho_.size() + slope_.size() + force_.size() + terms_.size() +
                           tables_.radial.size() + tables_.embedding.size());
  }

  void prepare(const Particles& p, const VerletList& list) override {
    const int n = p.n_local + p.n_ghost + 1;
    if (slope_.extent_int(0) < n) {
      const auto room = static_cast<std::size_t>(n + n / 16);
      const auto make = [](const std::string& name, std::size_t size) {
        return RealView(Kokkos::view_alloc(Kokkos::WithoutInitializing, name), size);
      };
      sites_.quads = {};
      force_ = {};
      sites_.quads = make("sites", 4 * room);
      rho_ = make("rho", room);
      slope_ = make("embedding_slope", room);
      if (list.kind == ListKind::half) force_ = make("force_quads", 4 * room);
    }
    // Room for the pairs' radial terms, three each in alloys, see PairLoop.
    const std::size_t terms = list.kind == ListKind::half ? list.entry.extent(0) * (alloy_ ? 3 : 2) : 0;
    if (terms_.extent(0) < terms) {
      terms_ = {};
      terms_ = RealView(Kokkos::view_alloc(Kokkos::WithoutInitializing, "radial_terms"), terms);
    }
    place_centre(p, list.radius);
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
  /// Site coordinates are relative to the middle of the occupied space and span at most half of the 32-bit
  /// range of mixed precision, atoms' drift until the next list included; the dummy lies a quarter range
  /// beyond.
  void place_centre(const Particles& p, double radius) {
    double extent = 0.0;
    for (int d = 0; d < 3; ++d) {
      double lowest = 0.0, highest = 0.0;
      Kokkos::parallel_reduce("extent", over(p.n_local + p.n_ghost), Extent{p.x, d},
                              Kokkos::Min<double>(lowest), Kokkos::Max<double>(highest));
      if (p.n_local + p.n_ghost == 0) lowest = highest = 0.0;
      sites_.centre[d] = 0.5 * (lowest + highest);
      extent = std::max(extent, highest - lowest);
    }
    extent += 4.0 * radius;
    if constexpr (std::is_same_v<Real, float>) {
      constexpr double widest = 2e4;  // steps of 1e-5 Angstrom
      if (extent > widest)
        throw InputError(
            fmt::format("run.precision = \"mixed\": found atoms of one rank {:.3g} Angstrom apart, "
                        "expected at most {:.3g} (double has no such limit)",
                        extent, widest));
      sites_.inverse_unit = 2147483648.0 / extent;
      sites_.unit = static_cast<Real>(1.0 / sites_.inverse_unit);
    }
    const Real dummy[4] = {Precision::encode(0.9999 * extent, 0.0, sites_.inverse_unit),
                           Precision::encode(0.0, 0.0, sites_.inverse_unit),
                           Precision::encode(0.0, 0.0, sites_.inverse_unit), Real(0)};
    Kokkos::View<const Real*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> host(dummy, 4);
    const int last = 4 * (p.n_local + p.n_ghost);
    Kokkos::deep_copy(Kokkos::subview(sites_.quads, Kokkos::make_pair(last, last + 4)), host);
  }

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
    const int all = p.n_local + p.n_ghost;
    Kokkos::parallel_for("place_sites", over(all), PlaceSites<Precision>{p.x, sites_});
    if constexpr (kind == ListKind::half) {
      Kokkos::deep_copy(ExecSpace(), rho_, Real(0));
      Kokkos::deep_copy(ExecSpace(), force_, Real(0));
    }
    const PairLoop<Precision, kind, alloy> loop{sites_, list.entry, list.count, list.first, list.stride,
                                                terms_, p.type,     tables_,    p.n_local};
    const DensityPass<Precision, kind, alloy> density{loop, rho_};
    double phi = 0.0, embedding = 0.0;
    if (result != nullptr && kind == ListKind::half)
      Kokkos::parallel_reduce("density", over(p.n_local), density, phi);
    else
      Kokkos::parallel_for("density", over(p.n_local), density);

    Kokkos::parallel_reduce("embedding", over(p.n_local),
                            EmbeddingPass<Real>{rho_, slope_, sites_.quads, p.type, tables_}, embedding);
    ghosts.update_values(slope_);
    Kokkos::parallel_for("ghost_slopes", over(p.n_local, all), SetGhostSlopes<Real>{slope_, sites_.quads});

    const ForcePass<Precision, kind, alloy> pass{loop, force_, p.f};
    if (result != nullptr) {
      PairSums sums;
      Kokkos::parallel_reduce("force", over(p.n_local), pass, Kokkos::Sum<PairSums>(sums));
      *result = {embedding + phi + sums.phi, {sums.xx, sums.yy, sums.zz, sums.xy, sums.xz, sums.yz}};
    } else {
      Kokkos::parallel_for("force", over(p.n_local), pass);
    }
    if constexpr (kind == ListKind::half)
      Kokkos::parallel_for("collect_forces", over(p.n_local), CollectForces<Real>{force_, p.f});
  }

  EamTables<Real> tables_;
  double cutoff_;
  bool alloy_;
  Sites<Real> sites_;
  RealView rho_, slope_, force_, terms_;
};

}  // namespace

std::unique_ptr<ForceField> make_eam(const PotentialTables& tables, const std::string& precision) {
  if (precision == "double") return std::make_unique<Eam<DoublePrecision>>(tables);
  if (precision == "mixed") return std::make_unique<Eam<MixedPrecision>>(tables);
  throw InputError("precision '" + precision + "': expected \"double\" or \"mixed\"");
}

ListKind best_list_kind() {
  const bool host = Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible;
  return host && ExecSpace().concurrency() == 1 ? ListKind::half : ListKind::full;
}

}  // namespace wafermark::tungsten
