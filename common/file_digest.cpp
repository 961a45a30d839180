#include "common/file_digest.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "common/errors.hpp"

namespace wafermark {

std::string sha256_of_file(const std::string& path) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const auto expect = [](bool good) {
    if (!good) throw std::runtime_error("OpenSSL: SHA-256 is not available");
  };
  expect(digest != nullptr && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1);
  std::ifstream in(path, std::ios::binary);
  std::array<char, 1 << 16> part;
  do {
    in.read(part.data(), part.size());
    expect(EVP_DigestUpdate(digest.get(), part.data(), static_cast<std::size_t>(in.gcount())) == 1);
  } while (in);
  if (!in.eof()) throw InputError(fmt::format("{}: cannot be read", path));
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned int size = 0;
  expect(EVP_DigestFinal_ex(digest.get(), bytes.data(), &size) == 1);
  std::string text;
  for (unsigned int k = 0; k < size; ++k) text += fmt::format("{:02x}", bytes[k]);
  return text;
}

}  // namespace wafermark
