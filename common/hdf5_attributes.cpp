// Attributes of the groups and arrays of an Hdf5File.
#include <fmt/format.h>

#include <algorithm>

#include "common/guarded_text.hpp"
#include "common/hdf5_file.hpp"
#include "common/hdf5_handle.hpp"
#include "common/hdf5_types.hpp"

namespace wafermark {
namespace {

constexpr hssize_t most_attribute_values = 1 << 20;  // so that a damaged size does not ask for all memory

void write_attribute(hid_t file, const std::string& object, const std::string& name, hid_t type, hid_t space,
                     const void* data, bool& good) {
  const Handle at(H5Oopen(file, object.c_str(), H5P_DEFAULT), H5Oclose);
  if (H5Aexists(at, name.c_str()) > 0) H5Adelete(at, name.c_str());
  const Handle attribute(H5Acreate2(at, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  good = attribute.good() && H5Awrite(attribute, type, data) >= 0;
}

/// UTF-8 of `length` bytes, or variable.
Handle text_type(std::size_t length) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, length);
  H5Tset_cset(type, H5T_CSET_UTF8);
  if (length != H5T_VARIABLE) H5Tset_strpad(type, H5T_STR_NULLPAD);
  return {type, H5Tclose};
}

/// Attributes in an object's header end at 64 KiB.
constexpr std::size_t longest_fixed_text = 60'000;

std::size_t length_for(const std::vector<std::string>& texts, TextLayout layout) {
  std::size_t longest = 1;
  for (const auto& text : texts) longest = std::max(longest, text.size());
  return layout == TextLayout::fixed && longest * texts.size() <= longest_fixed_text ? longest : H5T_VARIABLE;
}

/// Texts as H5Awrite takes them.
std::vector<char> packed(const std::vector<std::string>& texts, std::size_t length) {
  std::vector<char> data;
  for (const auto& text : texts) {
    if (length == H5T_VARIABLE) {
      const char* pointer = text.c_str();
      const auto* bytes = reinterpret_cast<const char*>(&pointer);
      data.insert(data.end(), bytes, bytes + sizeof pointer);
    } else {
      data.insert(data.end(), text.begin(), text.end());
      data.resize(data.size() + length - text.size(), '\0');
    }
  }
  return data;
}

}  // namespace

template <class T>
void Hdf5File::set_attribute(const std::string& object, const std::string& name, const T& value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  reserve(object + ": attribute " + name, 0);
  bool good = false;
  write_attribute(file_, object, name, h5_type<T>(), space, &value, good);
  agree_written(good, object + ": attribute " + name);
}

template <class T>
void Hdf5File::set_attribute(const std::string& object, const std::string& name,
                             const std::vector<T>& values) {
  const hsize_t n = values.size();
  const Handle space(H5Screate_simple(1, &n, nullptr), H5Sclose);
  reserve(object + ": attribute " + name, 0);
  bool good = false;
  write_attribute(file_, object, name, h5_type<T>(), space, values.data(), good);
  agree_written(good, object + ": attribute " + name);
}

void Hdf5File::set_attribute(const std::string& object, const std::string& name, const std::string& text,
                             TextLayout layout) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  write_texts(object, name, {text}, space, layout);
}

void Hdf5File::set_attribute(const std::string& object, const std::string& name,
                             const std::vector<std::string>& texts, TextLayout layout) {
  const hsize_t n = texts.size();
  const Handle space(H5Screate_simple(1, &n, nullptr), H5Sclose);
  write_texts(object, name, texts, space, layout);
}

void Hdf5File::write_texts(const std::string& object, const std::string& name,
                           const std::vector<std::string>& texts, hid_t space, TextLayout layout) {
  const std::size_t length = length_for(texts, layout);
  const Handle type = text_type(length);
  reserve(object + ": attribute " + name, 0);
  bool good = false;
  write_attribute(file_, object, name, type, space, packed(texts, length).data(), good);
  agree_written(good, object + ": attribute " + name);
}

bool Hdf5File::has_attribute(const std::string& object, const std::string& name) const {
  return on_root([&] {
           return int(holds(file_, object) &&
                      H5Aexists_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT) > 0);
         }) != 0;
}

namespace {
herr_t note_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}
}  // namespace

std::vector<std::string> Hdf5File::children(const std::string& path) const {
  return on_root([&] {
    std::vector<std::string> names;
    if (holds(file_, path) && H5Literate_by_name(file_, path.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr,
                                                 note_name, &names, H5P_DEFAULT) < 0)
      reject(path, "its members cannot be listed");
    return names;
  });
}

hid_t Hdf5File::open_attribute(const std::string& object, const std::string& name) const {
  if (!holds(file_, object)) reject(object, "not found");
  const hid_t attribute = H5Aopen_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) reject(object, fmt::format("attribute '{}' not found", name));
  return attribute;
}

template <class T>
std::vector<T> Hdf5File::attribute_list(const std::string& object, const std::string& name) const {
  return on_root([&] {
    const Handle attribute(open_attribute(object, name), H5Aclose);
    const Handle type(H5Aget_type(attribute), H5Tclose);
    if (H5Tget_class(type) != H5Tget_class(h5_type<T>()) || !is_usual_number(type))
      reject(object, fmt::format("attribute '{}' is of another type than expected", name));
    const Handle space(H5Aget_space(attribute), H5Sclose);
    const hssize_t n = H5Sget_simple_extent_npoints(space);
    if (n < 0 || n > most_attribute_values)
      reject(object, fmt::format("attribute '{}': found {} values, expected at most {}", name, n,
                                 most_attribute_values));
    std::vector<T> values(static_cast<std::size_t>(n));
    if (H5Aread(attribute, h5_type<T>(), values.data()) < 0)
      reject(object, fmt::format("attribute '{}' cannot be read", name));
    return values;
  });
}

template <class T>
T Hdf5File::attribute(const std::string& object, const std::string& name) const {
  const auto values = attribute_list<T>(object, name);
  if (values.size() != 1)
    reject(object, fmt::format("attribute '{}' holds {} values, expected one", name, values.size()));
  return values.front();
}

std::vector<std::string> Hdf5File::text_list_attribute(const std::string& object,
                                                       const std::string& name) const {
  return on_root([&] {
    const Handle attribute(open_attribute(object, name), H5Aclose);
    const Handle type(H5Aget_type(attribute), H5Tclose);
    const Handle space(H5Aget_space(attribute), H5Sclose);
    const hssize_t found = H5Sget_simple_extent_npoints(space);
    std::vector<std::string> texts;
    if (H5Tget_class(type) != H5T_STRING) reject(object, fmt::format("attribute '{}' is not text", name));
    const std::size_t length = H5Tget_size(type);
    if (found < 0 || found > most_attribute_values || length > std::size_t(most_attribute_values))
      reject(object, fmt::format("attribute '{}': found {} texts of {} bytes, expected at most {}", name,
                                 found, length, most_attribute_values));
    const auto n = static_cast<std::size_t>(found);
    if (H5Tis_variable_str(type) > 0) {
      auto guarded = read_text_guarded(path_, object, name);
      if (!guarded || guarded->size() != n)
        reject(object, fmt::format("attribute '{}' cannot be read: its text is damaged", name));
      return *guarded;
    }
    std::vector<char> block(length * n + 1, '\0');
    if (H5Aread(attribute, type, block.data()) < 0)
      reject(object, fmt::format("attribute '{}' cannot be read", name));
    for (std::size_t k = 0; k < n; ++k) {
      const char* begin = block.data() + k * length;
      texts.emplace_back(begin, std::find(begin, begin + length, '\0'));
    }
    return texts;
  });
}

std::string Hdf5File::text_attribute(const std::string& object, const std::string& name) const {
  const auto texts = text_list_attribute(object, name);
  if (texts.size() != 1)
    reject(object, fmt::format("attribute '{}' holds {} texts, expected one", name, texts.size()));
  return texts.front();
}

WAFERMARK_HDF5_FOR_EACH_TYPE(WAFERMARK_HDF5_ATTRIBUTES);

}  // namespace wafermark
