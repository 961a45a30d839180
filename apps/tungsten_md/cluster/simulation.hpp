// A molecular-dynamics run on MPI ranks. step() is the algorithm on one screen; begin reading there.
#pragma once

#include <memory>

#include "tungsten_md/cluster/adaptive_time_step.hpp"
#include "tungsten_md/cluster/domain.hpp"
#include "tungsten_md/cluster/electronic_stopping.hpp"
#include "tungsten_md/cluster/energy_ledger.hpp"
#include "tungsten_md/cluster/hot_atom_watch.hpp"
#include "tungsten_md/cluster/langevin_thermostat.hpp"
#include "tungsten_md/cluster/pka.hpp"
#include "tungsten_md/cluster/thermo.hpp"
#include "tungsten_md/io/checkpoint.hpp"
#include "tungsten_md/model/case.hpp"
