// Causal grouped-query attention over whole sequences, forward and backward, as matrix products over blocks
// of query rows (a block looks only at the columns up to its last row).
#pragma once

#include "sparse_llama/model/rope_table.hpp"

namespace wafermark::llama {

/// Rotates `heads` heads of every row of x[sequences * length, heads * head_dim]; element i with i + head_dim
/// / 2. direction -1 is the inverse, which is also the backward pass.
template <class T>
void rotate(const RopeTable<T>& table, T* x, std::int64_t sequences, std::int64_t length, std::int64_t heads,
            int direction);

template <class T>
class CausalAttention {
 public:
  CausalAttention(const Configuration& configuration, std::int64_t sequences, std::int64_t length);

  /// query [N, query_dim], key and value [N, kv_dim] (rotated) -> output [N, query_dim], N = sequences *
  /// length. Keeps the probabilities in `probabilities` [sequences, heads, length, length] for backward().
  void forward(const T* query, const T* key, const T* value, T* probabilities, T* output) const;
  /// Sets the gradients of query, key and value.
  void backward(const T* query, const T* key, const T* value, const T* probabilities,
                const T* output_gradient, T* query_gradient, T* key_gradient, T* value_gradient) const;

 private:
  /// Calls visit(sequence, head) for all; threads share them by the key/value head that they look at.
  template <class Visit>
  void each_head(const char* name, const Visit& visit) const;

  Configuration configuration_;
  std::int64_t sequences_, length_;
};

}  // namespace wafermark::llama
