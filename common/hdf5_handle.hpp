// What hdf5_file.cpp and hdf5_attributes.cpp share: the library's handles, and its names of our types.
#pragma once

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <string>

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

/// Any HDF5 handle, closed with the object. Not while an exception unwinds: closing an object of a parallel
/// file can wait for the other ranks, which may know of no exception. The file, which closes strongly, takes
/// what is left.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0 && std::uncaught_exceptions() == exceptions_) close_(id_);
  }
  Handle(const Handle&) = delete;
  operator hid_t() const { return id_; }
  bool good() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
  int exceptions_ = std::uncaught_exceptions();
};

/// Whether the file has a group or array of that path, as this rank sees it.
inline bool holds(hid_t file, const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    if (H5Lexists(file, path.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return false;
  return path == "/" || H5Lexists(file, path.c_str(), H5P_DEFAULT) > 0;
}

/// Whether a stored type is one that the library converts from safely: its conversion of a type whose
/// description is damaged reads outside its buffers.
inline bool is_usual_number(hid_t type) {
  const std::array usual{H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_STD_I8LE,
                         H5T_STD_U8LE,   H5T_STD_I32LE,  H5T_STD_I32BE,  H5T_STD_U32LE,  H5T_STD_U32BE,
                         H5T_STD_I64LE,  H5T_STD_I64BE,  H5T_STD_U64LE,  H5T_STD_U64BE};
  return std::any_of(usual.begin(), usual.end(), [&](hid_t t) { return H5Tequal(type, t) > 0; });
}

}  // namespace wafermark
