// Energies of recoils as irradiation gives them: one energy, or a histogram from a file.
#pragma once

#include <string>
#include <vector>

namespace wafermark::tungsten {

/// A histogram of recoil energies. Inside a bin every energy is as likely as any other.
struct RecoilSpectrum {
  struct Bin {
    double low_ev = 0.0, high_ev = 0.0;
    double share = 0.0;  ///< of all recoils, up to and including this bin
  };
  std::vector<Bin> bins;

  /// All recoils of one energy.
  static RecoilSpectrum of(double energy_ev) { return {{{energy_ev, energy_ev, 1.0}}}; }
  /// The energy that two numbers in (0, 1] choose: the bin, and the place in it.
  double energy_ev(double which, double where) const;
  double largest_ev() const;
};

/// Reads lines of low energy, high energy (eV) and the recoils in between, in any unit (the columns that
/// SPECTRA-PKA writes, in eV); comments with #. Bins ascend and do not overlap. Throws InputError
/// "FILE:LINE: ...".
RecoilSpectrum read_recoil_spectrum(const std::string& path);

}  // namespace wafermark::tungsten
