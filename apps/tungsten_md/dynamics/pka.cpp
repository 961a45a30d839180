#include "tungsten_md/dynamics/pka.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "common/errors.hpp"
#include "tungsten_md/dynamics/nearest_atom.hpp"
#include "tungsten_md/kernels/random.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

Vec3 site_of(const PkaSettings& pka, const Box& box, int index, std::uint64_t seed) {
  if (pka.position) return *pka.position;
  Vec3 site{};
  const auto words = random_words(seed, static_cast<std::uint64_t>(index), 1, Stream::pka);
  for (int d = 0; d < 3; ++d) {
    const double share = pka.random_site ? uniform(words[static_cast<std::size_t>(d)]) : 0.5;
    site[d] = box.lo[d] + share * box.length(d);
  }
  return site;
}

}  // namespace

Recoil knock_on(const Communicator& comm, Particles& p, const Box& box, const PkaSettings& pka, int index,
                std::uint64_t seed) {
  const FoundAtom hit = nearest_atom(comm, p, box, site_of(pka, box, index, seed), pka.type);
  if (hit.id == 0)
    throw std::runtime_error(fmt::format("recoil {}: found no atom of {} any more", index, pka.element));

  Recoil recoil;
  recoil.atom = hit.id;
  if (pka.direction) {
    recoil.direction = *pka.direction;
  } else {
    const Triple r = random_direction(seed, static_cast<std::uint64_t>(index), 0, Stream::pka);
    recoil.direction = {r.x, r.y, r.z};
  }
  std::vector<double> told(4, 0.0);
  if (const int local = hit.local; local >= 0) {
    int type = 0;
    Kokkos::deep_copy(type, Kokkos::subview(p.type, local));
    double mass = 0.0;
    Kokkos::deep_copy(mass, Kokkos::subview(p.mass_of_type, type));
    mass *= units::amu_a2_per_ps2_in_ev;
    double along = 0.0, before = 0.0, after = 0.0;
    Vec3 velocity{};
    for (int d = 0; d < 3; ++d) {
      Kokkos::deep_copy(velocity[d], Kokkos::subview(p.v, local, d));
      Kokkos::deep_copy(told[static_cast<std::size_t>(d)], Kokkos::subview(p.x, local, d));
      along += velocity[d] * recoil.direction[d];
      before += 0.5 * mass * velocity[d] * velocity[d];
    }
    // m/2 ((along + u)^2 - along^2) = E
    const double gain = -along + std::sqrt(along * along + 2.0 * pka.energy_ev / mass);
    for (int d = 0; d < 3; ++d) {
      velocity[d] += gain * recoil.direction[d];
      Kokkos::deep_copy(Kokkos::subview(p.v, local, d), velocity[d]);
      after += 0.5 * mass * velocity[d] * velocity[d];
    }
    told[3] = after - before;
  }
  told = comm.sum(told);
  recoil.position = {told[0], told[1], told[2]};
  recoil.energy_gained_ev = told[3];
  return recoil;
}

void require_recoil_elements(const Communicator& comm, const std::vector<PkaSettings>& pkas,
                             const Atoms& atoms) {
  for (const PkaSettings& pka : pkas) {
    if (pka.type == any_type) continue;
    const bool here = std::find(atoms.type.begin(), atoms.type.end(), pka.type) != atoms.type.end();
    if (comm.max(here ? 1 : 0) == 0)
      throw InputError(fmt::format("recoils of {}: found no such atom, expected one at least", pka.element));
  }
}

}  // namespace wafermark::tungsten
