#include "sparse_llama/compress/perplexity.hpp"

#include "sparse_llama/compress/parameters.hpp"
#include "sparse_llama/compress/scoring.hpp"

namespace wafermark::llama {

double perplexity(const Communicator& comm, const WeightSource& source, std::span<const std::int32_t> text,
                  std::int32_t bos, std::int64_t window) {
  return perplexity_of(score(comm, source, windows_of(Protocol::whole, text, bos, window))).value;
}

double perplexity(const Communicator& comm, const Configuration& configuration,
                  const std::vector<float>& parameters, std::span<const std::int32_t> text, std::int32_t bos,
                  std::int64_t window) {
  return perplexity(comm, parameter_source(configuration, parameters), text, bos, window);
}

}  // namespace wafermark::llama
