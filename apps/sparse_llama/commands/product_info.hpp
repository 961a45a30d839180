// info --product: one product with streamed weights on the emulated wafer, dense and sparse.
#pragma once

#include "sparse_llama/commands/result_folder.hpp"
#include "sparse_llama/commands/wafer_options.hpp"

namespace wafermark::llama {

struct ProductOptions {
  std::string product;                            ///< OUTPUTSxINPUTS; empty: none
  std::vector<double> sparsities{0.5, 0.7, 0.9};  ///< compared with dense
  std::vector<std::int64_t> tokens{8192, 32768, 131072, 524288};

  /// --product, --sparsity, --product-tokens.
  void add_to(CLI::App& command, WaferOptions& wafer);
  bool given() const { return !product.empty(); }
  /// Throws InputError when they were given without --product.
  void expect_product() const;

 private:
  std::vector<const CLI::Option*> of_product_;
};

/// Runs the product for every number of tokens and sparsity on the clocks of all tiles, prints time and
/// energy beside dense, and writes them as "products" of a result. Throws InputError for what tiles do not
/// hold.
void product_info(const ProductOptions& options, const WaferOptions& wafer, const ModelOptions& storage,
                  const OutputOptions& output);

}  // namespace wafermark::llama
