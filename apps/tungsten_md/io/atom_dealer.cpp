#include "tungsten_md/io/atom_dealer.hpp"

#include "common/errors.hpp"

namespace wafermark::tungsten {

void deal_rows(const Communicator& comm, std::size_t n_values,
               const std::function<bool(std::int64_t& id, double* values)>& read,
               const std::function<void(std::int64_t id, const double* values)>& take) {
  constexpr int batch = 1 << 15;
  const auto ranks = static_cast<std::uint64_t>(comm.size());
  std::vector<double> row(n_values);
  for (bool more = true; more;) {
    std::vector<std::vector<std::int64_t>> ids(comm.size());
    std::vector<std::vector<double>> values(comm.size());
    std::string problem;
    if (comm.is_root()) try {
        for (int k = 0; k < batch; ++k) {
          std::int64_t id = 0;
          more = read(id, row.data());
          if (!more) break;
          const auto owner = static_cast<std::size_t>(static_cast<std::uint64_t>(id) % ranks);
          ids[owner].push_back(id);
          values[owner].insert(values[owner].end(), row.begin(), row.end());
        }
      } catch (const InputError& e) {
        problem = e.what();
      }
    comm.throw_together(!problem.empty(), problem);
    const auto dealt_ids = comm.all_to_all(ids);
    const auto dealt_values = comm.all_to_all(values);
    for (std::size_t k = 0; k < dealt_ids[0].size(); ++k)
      take(dealt_ids[0][k], &dealt_values[0][k * n_values]);
    int again = more;
    comm.broadcast(again);
    more = again != 0;
  }
}

std::string ask_root(const Communicator& comm, const std::function<std::string()>& on_root) {
  std::string answer, problem;
  if (comm.is_root()) try {
      answer = on_root();
    } catch (const InputError& e) {
      problem = e.what();
    }
  comm.throw_together(!problem.empty(), problem);
  comm.broadcast(answer);
  return answer;
}

}  // namespace wafermark::tungsten
