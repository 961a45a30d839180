#include "tungsten_md/cluster/uf3_force_field.hpp"

#include <algorithm>

#include "tungsten_md/cluster/site_arrays.hpp"
#include "tungsten_md/cluster/triplet_list.hpp"
#include "tungsten_md/cluster/uf3_passes.hpp"

namespace wafermark::tungsten {
namespace {

template <class Precision>
class Uf3Field final : public ForceField {
 public:
  using Real = typename Precision::Real;

  explicit Uf3Field(const Uf3Potential& potential)
      : potential_(Uf3Layout<Real>(potential)),
        triplet_cutoff_(potential.triplet_cutoff()),
        cutoff_(std::max(potential.pair_cutoff(), triplet_cutoff_)) {}

  double cutoff() const override { return cutoff_; }
  double reach() const override { return std::max(cutoff_, 2.0 * triplet_cutoff_); }
  SitePlacer placer() const override { return arrays_.placer(); }
  std::size_t bytes() const override {
    return arrays_.bytes() + potential_.bytes() + triplets_.bytes() + sizeof(Real) * pull_.size();
  }

  void prepare(const Particles& p, const VerletList& list, const CellGrid& grid) override {
    arrays_.prepare(p, list);
    if (!has_triplets()) return;
    triplets_.build(p, grid, triplet_cutoff_ + list.radius - cutoff_);
    const std::size_t numbers = 3 * triplets_.rows().entry.extent(0);
    if (pull_.extent(0) >= numbers) return;
    pull_ = {};
    pull_ = uninitialised<Real>("pull", numbers);
  }

 private:
  bool has_triplets() const { return triplet_cutoff_ > 0.0; }

  void run(Particles& p, const VerletList& list, GhostExchange&, PairSums* sums) override {
    list.kind == ListKind::half ? run_pairs<ListKind::half>(p, list, sums)
                                : run_pairs<ListKind::full>(p, list, sums);
    if (!has_triplets()) return;
    const VerletList& rows = triplets_.rows();
    const TripletPass<Precision> triplets{arrays_.sites(), rows, p.type, potential_, p.n_local, pull_};
    run_pass("uf3_triplets", over(p.n_local + p.n_ghost), triplets, sums);
    Kokkos::parallel_for("collect_pulls", over(p.n_local),
                         CollectPulls<Real>{rows, triplets_.mirror(), pull_, p.f});
  }
  template <ListKind kind>
  void run_pairs(Particles& p, const VerletList& list, PairSums* sums) {
    if constexpr (kind == ListKind::half) arrays_.clear_forces();
    const Uf3Pairs<Precision, kind> pairs{{arrays_.sites(), list, p.n_local}, p.type, potential_};
    sum_forces("uf3_pairs", pairs, arrays_.force(), p, sums);
  }

  Uf3OnDevice<Real> potential_;
  double triplet_cutoff_, cutoff_;
  SiteArrays<Precision> arrays_;
  TripletList triplets_;
  Kokkos::View<Real*, MemSpace> pull_;
};

}  // namespace

std::unique_ptr<ForceField> make_uf3_field(const Uf3Potential& potential, const std::string& precision) {
  if (precision == "double") return std::make_unique<Uf3Field<DoublePrecision>>(potential);
  return std::make_unique<Uf3Field<MixedPrecision>>(potential);
}

}  // namespace wafermark::tungsten
