// A UF3 potential laid out for its kernels, on a host or for a device to copy.
#pragma once

#include <vector>

#include "tungsten_md/kernels/uf3.hpp"
#include "tungsten_md/model/uf3.hpp"

namespace wafermark::tungsten {

template <class Real>
struct Uf3Layout {
  std::vector<Uf3PairTable<Real>> pairs;
  std::vector<Uf3TripletTable<Real>> triplets;
  std::vector<Real> numbers;
  std::vector<int> guides;
  int elements = 0;

  explicit Uf3Layout(const Uf3Potential& potential);
  Uf3Tables<Real> tables() const {
    return {pairs.data(), triplets.empty() ? nullptr : triplets.data(), numbers.data(), guides.data(),
            elements};
  }
};

extern template struct Uf3Layout<float>;
extern template struct Uf3Layout<double>;

/// Bytes that a potential takes in fp32.
std::size_t bytes_in_single_precision(const Uf3Potential& potential);

}  // namespace wafermark::tungsten
