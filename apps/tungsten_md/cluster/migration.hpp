// Moves atoms to the ranks that own their positions.
#pragma once

#include "tungsten_md/cluster/mpi_buffer.hpp"
#include "tungsten_md/cluster/subdomain.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// Wraps local atoms along periodic axes and hands those that left the subdomain to face neighbours until
/// every atom is at home: one pass in a normal time step. Ghosts are dropped. The order of the atoms changes.
/// Throws InputError when the number of atoms over all ranks is no longer `expected` or a position is
/// not finite (a time step that is too long).
void migrate(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& subdomain, Particles& p,
             std::int64_t expected);

/// Removes the `marked` local atoms of type -1; others take their places. Ghosts, lists and forces are then
/// out of date.
void remove_marked(Particles& p, int marked);

/// Sends each atom of any distribution over ranks straight to its owner: the start of a run.
Atoms distribute(const Communicator& comm, const CartesianGrid& ranks, const Subdomain& subdomain,
                 Atoms atoms);

}  // namespace wafermark::tungsten
