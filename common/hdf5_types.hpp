// The types of numbers that Hdf5File is made for, and its functions that are made for each: once for the
// files that define them, with HDF5 (hdf5_attributes.cpp, hdf5_file.cpp) and without (hdf5_absent.cpp).
#pragma once

#include "common/hdf5_file.hpp"

#define WAFERMARK_HDF5_FOR_EACH_TYPE(MAKE) \
  MAKE(float);                             \
  MAKE(double);                            \
  MAKE(int);                               \
  MAKE(std::int64_t);                      \
  MAKE(std::uint8_t)

#define WAFERMARK_HDF5_ATTRIBUTES(T)                                                                    \
  template void Hdf5File::set_attribute(const std::string&, const std::string&, const T&);              \
  template void Hdf5File::set_attribute(const std::string&, const std::string&, const std::vector<T>&); \
  template T Hdf5File::attribute(const std::string&, const std::string&) const;                         \
  template std::vector<T> Hdf5File::attribute_list(const std::string&, const std::string&) const

#define WAFERMARK_HDF5_DATA_SETS(T)                                                                    \
  template void Hdf5File::write(const std::string&, const std::vector<T>&, const Rows&, std::uint64_t, \
                                bool);                                                                 \
  template void Hdf5File::make_array<T>(const std::string&, std::uint64_t, std::uint64_t, bool);       \
  template void Hdf5File::write_rows(const std::string&, const T*, const Rows&, std::uint64_t);        \
  template std::vector<T> Hdf5File::read(const std::string&, const Rows&, std::uint64_t) const;        \
  template void Hdf5File::append_frame(const std::string&, const std::vector<T>&, const Rows&,         \
                                       std::uint64_t);                                                 \
  template void Hdf5File::append_scalar(const std::string&, T);                                        \
  template std::vector<T> Hdf5File::read_frame(const std::string&, std::uint64_t, const Rows&,         \
                                               std::uint64_t) const;                                   \
  template std::vector<T> Hdf5File::read_scalars(const std::string&) const
