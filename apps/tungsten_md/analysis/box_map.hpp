// Positions in a strained or shifted box, as they would be in the reference's.
#pragma once

#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

/// Scales with the box along periodic axes; leaves open axes, and axes that are the same in both boxes, as
/// they are to the last bit.
class BoxMap {
 public:
  BoxMap(const Box& frame, const Box& reference) : frame_(frame), reference_(reference) {
    for (int d = 0; d < 3; ++d)
      same_[d] = !frame.periodic[d] || (frame.lo[d] == reference.lo[d] && frame.hi[d] == reference.hi[d]);
  }
  bool is_identity() const { return same_[0] && same_[1] && same_[2]; }

  Vec3 to_reference(Vec3 x) const { return moved(x, frame_, reference_); }
  Vec3 to_frame(Vec3 x) const { return moved(x, reference_, frame_); }

 private:
  Vec3 moved(Vec3 x, const Box& from, const Box& to) const {
    for (int d = 0; d < 3; ++d)
      if (!same_[d]) x[d] = to.lo[d] + (x[d] - from.lo[d]) / from.length(d) * to.length(d);
    return x;
  }

  Box frame_, reference_;
  std::array<bool, 3> same_{};
};

}  // namespace wafermark::tungsten
