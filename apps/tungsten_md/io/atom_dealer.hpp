// How the atoms of a text file reach the ranks: rank 0 reads, a batch at a time, and deals the rows out by
// id.
#pragma once

#include <functional>

#include "common/communicator.hpp"

namespace wafermark::tungsten {

/// A row of a table of atoms: an id and a fixed number of values.
/// `read(id, values)` is called on rank 0 until it returns false; InputError thrown by it is thrown on all
/// ranks. `take(id, values)` is called on rank id % size (of the id's 64 bits), in the order of the file.
/// Rank 0 never holds more than a batch.
void deal_rows(const Communicator& comm, std::size_t n_values,
               const std::function<bool(std::int64_t& id, double* values)>& read,
               const std::function<void(std::int64_t id, const double* values)>& take);

/// Runs `on_root` on rank 0 and gives its text to all ranks; an InputError thrown there is thrown on all
/// ranks.
std::string ask_root(const Communicator& comm, const std::function<std::string()>& on_root);

}  // namespace wafermark::tungsten
