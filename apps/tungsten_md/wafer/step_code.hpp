// The code of the tile program, section by section: counted once per section and branch with Counted<float>,
// then priced for a machine.
#pragma once

#include "wse_emulator/section.hpp"

namespace wafermark::tungsten {

/// How a section runs on the core: vector instructions over all candidates, or scalar code per item.
struct SectionCounts {
  wse::OperationCounts distance;  ///< of one candidate; vector instructions
  wse::OperationCounts test;      ///< of one candidate, inside the cut-off or not
  wse::OperationCounts enter;     ///< beside that, of one inside
  wse::OperationCounts listed;    ///< of one entry of a list that serves several steps: separation and test
  wse::OperationCounts density;   ///< of one neighbour, in a loop of its own
  wse::OperationCounts density_in_test;   ///< of one neighbour, in the loop that finds it
  wse::OperationCounts untested_density;  ///< of one listed atom, separation included (untested_lists)
  wse::OperationCounts force;             ///< of one neighbour
  wse::OperationCounts embedding;         ///< once
  wse::OperationCounts integration;       ///< once: both kicks and the drift
  wse::OperationCounts time_step;         ///< the longest step that the atom allows
  wse::OperationCounts slow,
      not_slow;  ///< electronic stopping of a fast atom; of a slow one, the question alone
  wse::OperationCounts bath, no_bath;  ///< heat bath of an atom in it; of another, the question alone
  wse::OperationCounts swap_partner;   ///< of one neighbour: is it worth changing tiles?
};
/// What a tile looks distances up in.
enum class RadialTable { over_r, over_squares };
/// Of an alloy each neighbour has tables of its element, and what an atom lays at it has others.
enum class Composition { one_element, alloy };
/// Counts the kernels. `periodic_z`: separations take the nearest image along z.
SectionCounts count_sections(bool periodic_z, RadialTable table = RadialTable::over_r,
                             Composition composition = Composition::one_element);

/// The same, priced for a machine.
struct StepCode {
  /// `batches`: pieces in which the candidates are taken, where memory does not hold all at once.
  StepCode(const wse::Machine& machine, const SectionCounts& counts, int batches = 1);

  wse::Section distance;     ///< a candidate
  wse::Section test, enter;  ///< a candidate; a neighbour, beside that
  wse::Section
      listed;  ///< an entry of a list that serves several steps; scalar code, since they lie scattered
  wse::Section density, density_in_test;       ///< a neighbour
  wse::Section untested_density;               ///< a listed atom
  wse::Section force;                          ///< a neighbour, or a listed atom
  wse::Section embedding, integration;         ///< an atom
  wse::Section time_step;                      ///< an atom
  wse::Section slow, not_slow, bath, no_bath;  ///< an atom of that kind
  wse::Section swap_partner;                   ///< a neighbour
};

}  // namespace wafermark::tungsten
