#include "tungsten_md/io/frame_digest.hpp"

#include <algorithm>
#include <string>

#include "common/digest.hpp"

namespace wafermark::tungsten {

Rows even_rows(const Communicator& comm, std::uint64_t n) {
  const auto ranks = static_cast<std::uint64_t>(comm.size()), rank = static_cast<std::uint64_t>(comm.rank());
  const std::uint64_t first = n / ranks * rank + std::min(rank, n % ranks);
  return {n, first, n / ranks + (rank < n % ranks ? 1 : 0)};
}

std::uint64_t digest_of_constants(const Communicator& comm, const Hdf5File& file, const Rows& rows) {
  const std::string all = "/particles/all", parameters = "/parameters";
  Digest digest;
  digest.add(digest_of_rows(comm, file.read<std::int64_t>(all + "/id", rows), rows.first, 1))
      .add(digest_of_rows(comm, file.read<int>(all + "/species", rows), rows.first, 1))
      .add(file.attribute_list<double>(parameters, "masses_amu"))
      .add(file.attribute_list<double>(parameters, "box_origin_angstrom"));
  for (const auto& text : file.text_list_attribute(parameters, "elements"))
    digest.add(std::string_view(text));
  for (const auto& text : file.text_list_attribute(all + "/box", "boundary"))
    digest.add(std::string_view(text));
  const std::string lattice = file.text_attribute(parameters, "lattice");
  digest.add(std::string_view(lattice));
  if (!lattice.empty())
    digest.add(file.attribute<double>(parameters, "lattice_constant_angstrom"))
        .add(file.attribute_list<int>(parameters, "lattice_cells"))
        .add(file.attribute_list<double>(parameters, "lattice_origin_angstrom"));
  return digest.value();
}

std::int64_t digest_of_frame(const Communicator& comm, std::uint64_t constants, std::int64_t step,
                             double time_ps, const Vec3& lengths, const std::vector<double>& x,
                             const std::vector<double>& v, const Rows& rows) {
  Digest digest;
  digest.add(constants).add(step).add(time_ps);
  for (const double length : lengths) digest.add(length);
  digest.add(digest_of_rows(comm, x, rows.first, 3)).add(digest_of_rows(comm, v, rows.first, 3));
  return static_cast<std::int64_t>(digest.value());
}

}  // namespace wafermark::tungsten
