#include "common/hdf5_probe.hpp"

#include <hdf5.h>

#include <algorithm>
#include <system_error>
#include <vector>

#include "common/guarded_process.hpp"
#include "common/hdf5_handle.hpp"

namespace wafermark {
namespace {

/// For the structure of files with millions of pieces; a damaged one that loops takes all of it.
constexpr unsigned long probe_cpu_seconds = 20;

herr_t look_at_attribute(hid_t object, const char* name, const H5A_info_t*, void*) {
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
  const Handle type(H5Aget_type(attribute), H5Tclose);
  const Handle space(H5Aget_space(attribute), H5Sclose);
  return 0;
}

/// Along the first axis, the first and the last among them.
constexpr hsize_t most_values = 64;

/// Some values, by way of the layout, the index of chunks and the filters.
void look_at_array(hid_t data) {
  const Handle space(H5Dget_space(data), H5Sclose);
  const Handle type(H5Dget_type(data), H5Tclose);
  H5Dget_storage_size(data);
  const int axes = H5Sget_simple_extent_ndims(space);
  if (axes < 0 || H5Sget_simple_extent_npoints(space) < 1 || !is_usual_number(type)) return;
  std::vector<hsize_t> length(static_cast<std::size_t>(axes)), at(length.size(), 0), one(length.size(), 1);
  H5Sget_simple_extent_dims(space, length.data(), nullptr);
  const hsize_t values = axes > 0 ? std::min(length[0], most_values) : 1;
  const Handle memory(H5Screate(H5S_SCALAR), H5Sclose);
  for (hsize_t k = 0; k < values; ++k) {
    if (axes > 0) {
      at[0] = values == 1 ? 0 : k * ((length[0] - 1) / (values - 1));
      if (k + 1 == values) at[0] = length[0] - 1;
      H5Sselect_hyperslab(space, H5S_SELECT_SET, at.data(), nullptr, one.data(), nullptr);
    }
    double value = 0.0;
    H5Dread(data, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, &value);
  }
}

herr_t look_at_object(hid_t file, const char* name, const H5O_info_t* info, void*) {
  const Handle object(H5Oopen(file, name, H5P_DEFAULT), H5Oclose);
  if (!object.good()) return 0;
  hsize_t next = 0;
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, &next, look_at_attribute, nullptr);
  if (info->type == H5O_TYPE_DATASET) look_at_array(object);
  return 0;
}

}  // namespace

bool survives_reading(const std::string& file) {
  const auto look = [&](int) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_file_locking(access, false, true);
    const Handle opened(H5Fopen(file.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
    if (opened.good())
      H5Ovisit2(opened, H5_INDEX_NAME, H5_ITER_NATIVE, look_at_object, nullptr, H5O_INFO_BASIC);
    return 0;
  };
  try {
    return run_guarded(look, probe_cpu_seconds).has_value();
  } catch (const std::system_error&) {
    return true;  // no process to be had: the file is read unprobed
  }
}

}  // namespace wafermark
