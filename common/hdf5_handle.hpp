// What hdf5_file.cpp and hdf5_attributes.cpp share: the library's handles, and its names of our types.
#pragma once

#include <hdf5.h>

#include <cstdint>

namespace wafermark {

template <class T>
hid_t h5_type();
template <>
inline hid_t h5_type<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
inline hid_t h5_type<double>() {
  return H5T_NATIVE_DOUBLE;
}
template <>
inline hid_t h5_type<int>() {
  return H5T_NATIVE_INT;
}
template <>
inline hid_t h5_type<std::int64_t>() {
  return H5T_NATIVE_INT64;
}
template <>
inline hid_t h5_type<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}

/// Any HDF5 handle, closed with the object.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  operator hid_t() const { return id_; }
  bool good() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

}  // namespace wafermark
