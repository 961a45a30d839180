// The words of kernels/lanes.hpp for Counted<float>: the kernels of both targets, instantiated to be counted.
#pragma once

#include "tungsten_md/kernels/lanes.hpp"
#include "wse_emulator/counted.hpp"

namespace wafermark {

template <>
struct Lanes<wse::Counted<float>> {
  using Value = float;
  using Int = int;
  using Mask = bool;
  static constexpr int width = 1;
};

namespace wse {

/// An address, and four words from there.
inline Quad<Counted<float>> load_quads(const Counted<float>* base, int index) {
  count(Operation::integer);
  count(Operation::load, 4);
  const Counted<float>* q = base + 4 * static_cast<std::ptrdiff_t>(index);
  return {q[0], q[1], q[2], q[3]};
}

inline Roots<Counted<float>> roots(const Counted<float>& x) {
  const Counted<float> inverse = inverse_root(x);
  return {x * inverse, inverse};
}

}  // namespace wse
}  // namespace wafermark
