// Conjugate gradients, and BiCGStab, for a 7-point stencil in mixed precision as tile programs: a column of
// cells on every tile, fp16 data, fp32 sums (after Rocki et al., SC20, arXiv 2010.03660).
//
//   conjugate_gradients run --method cg --tiles 6x5 --cells 8 --iterations 12    on data, against a plain
//   loop conjugate_gradients validate                                                 BiCGStab, 600 x 595 x
//   1536 cells
//
// The diagonal is scaled to one; the six other weights are stored for every cell. Neighbours' columns are
// multiplied as they arrive and added from memory; sums alternate between two vectors, and updates go to a
// spare one, so that no instruction finds two operands in one bank of memory.
#include <array>
#include <limits>

#include "example.hpp"
#include "wse_emulator/counted.hpp"
#include "wse_emulator/fabric/all_reduce.hpp"
#include "wse_emulator/fabric/star_exchange.hpp"
#include "wse_emulator/tile_memory.hpp"

namespace wafermark::wse {
namespace {

using Weights = std::array<float, 6>;  ///< of east, west, south, north, below, above
constexpr Weights symmetric{-0.125f, -0.125f, -0.125f, -0.125f, -0.125f, -0.125f},
    with_wind{-0.15f, -0.1f, -0.14f, -0.11f, -0.125f, -0.125f};

// One element of each vector instruction.
template <class T>
void multiply(T& to, const T& weight, const T& u) {
  to = weight * u;
}
template <class T>
void add(T& to, const T& sum, const T& product) {
  to = sum + product;
}
template <class T>
void update(T& to, const T& y, const T& scale, const T& x) {
  to = y + scale * x;
}

/// a / b; none where the residual has become zero.
template <class T>
T ratio(T a, T b) {
  return b == T(0) ? T(0) : a / b;
}

/// The nearest fp16 number.
float half(float x) {
  if (x == 0.0f) return x;
  int exponent;
  std::frexp(x, &exponent);
  const float unit = std::ldexp(1.0f, std::max(exponent - 11, -24));
  return std::nearbyint(x / unit) * unit;
}

/// The code of a tile, of one cell.
struct Sections {
  Section apply, dot, axpy, scalars;

  explicit Sections(const Machine& machine) {
    using C = Counted<float>;
    auto m = in_memory<float>(4);
    const C word = 1.0f, in_register = 2.0f;
    OperationCounts matrix = 4 * counted([&] { multiply(m[0], m[1], word); }) +  // from the fabric
                             2 * counted([&] { multiply(m[0], m[1], m[2]); }) +
                             6 * counted([&] { add(m[3], m[2], m[0]); });
    matrix[Operation::move] += 4;  // the own column, to each side
    matrix[Operation::load] += 4;
    apply = Section::vector(machine, matrix, {.precision = Precision::fp16});
    dot = Section::vector(machine, counted([&] {
                            C sum = 0.0f;
                            sum += m[0] * m[1];
                          }),
                          {.precision = Precision::mixed});
    axpy = Section::vector(machine, counted([&] { update(m[3], m[2], in_register, m[0]); }),
                           {.precision = Precision::fp16});
    scalars = Section::scalar(machine, counted([&] { (void)(in_register / word * in_register); }));
  }
};

enum Vector { x, r, shadow, p, v, t, vectors };

/// The vectors of this rank's tiles, [tile with border][cell], and what the phases do to them.
struct Fields {
  const Communicator* comm;
  Blocks blocks;
  FabricTiming fabric;
  int cells;
  Weights weights;
  BorderExchange border;
  std::array<std::vector<float>, vectors> of;
  float rho = 0.0f, alpha = 0.0f, beta = 0.0f, omega = 0.0f;

  Fields(const Communicator& comm_, const Blocks& blocks_, const Machine& machine, int cells_,
         const Weights& weights_)
      : comm(&comm_),
        blocks(blocks_),
        fabric(machine.fabric),
        cells(cells_),
        weights(weights_),
        border(comm_, blocks_, 1) {
    of.fill(std::vector<float>(border.border().size() * std::size_t(cells), 0.0f));
    for_each([&](int i, int j, int k) {
      of[r][at(i, j, k)] = of[p][at(i, j, k)] = of[shadow][at(i, j, k)] =
          right_side(blocks.mine().x0 + i, blocks.mine().y0 + j, k);
    });
    rho = dot(r, r);
  }
  static float right_side(int i, int j, int k) { return half(float((i + 2 * j + 3 * k) % 5 - 2)); }
  std::size_t at(int i, int j, int k) const {
    return border.border().index(i, j) * std::size_t(cells) + std::size_t(k);
  }
  template <class Body>
  void for_each(const Body& body) const {
    for (int j = 0; j < blocks.mine().height; ++j)
      for (int i = 0; i < blocks.mine().width; ++i)
        for (int k = 0; k < cells; ++k) body(i, j, k);
  }
  /// to = A from.
  void apply(Vector to, Vector from, const StarExchange& exchange) {
    exchange.move(border, of[from], cells, 0, cells);
    const auto& u = of[from];
    for_each([&](int i, int j, int k) {
      const float beside[6] = {u[at(i + 1, j, k)],
                               u[at(i - 1, j, k)],
                               u[at(i, j + 1, k)],
                               u[at(i, j - 1, k)],
                               k > 0 ? u[at(i, j, k - 1)] : 0.0f,
                               k + 1 < cells ? u[at(i, j, k + 1)] : 0.0f};
      float sum = u[at(i, j, k)], other, product;
      for (std::size_t n = 0; n < 6; ++n) {
        multiply(product, weights[n], beside[n]);
        add(other, sum, half(product));
        sum = half(other);
      }
      of[to][at(i, j, k)] = sum;
    });
  }
  /// to = y + scale * x.
  void axpy(Vector to, Vector y, float scale, Vector with) {
    for_each([&](int i, int j, int k) {
      float& element = of[to][at(i, j, k)];
      update(element, of[y][at(i, j, k)], scale, of[with][at(i, j, k)]);
      element = half(element);
    });
  }
  float dot(Vector a, Vector b) const {
    std::vector<float> of_tiles;
    for_each([&](int i, int j, int k) {
      if (k == 0) of_tiles.push_back(0.0f);
      of_tiles.back() += of[a][at(i, j, k)] * of[b][at(i, j, k)];
    });
    return AllReduce(1).sums(*comm, blocks, fabric, of_tiles).front();
  }
};

/// The iterations as programs. Without fields they move no data, and are priced all the same.
class Solver {
 public:
  Solver(const Machine& machine, const Blocks& blocks, int cells)
      : code_(machine),
        cells_(std::size_t(blocks.mine().tiles()), cells),
        once_(cells_.size(), 1),
        exchange_(std::make_shared<StarExchange>(1, (cells + 1) / 2)),
        one_sum_(std::make_shared<AllReduce>(1)),
        two_sums_(std::make_shared<AllReduce>(2)) {}

  Program conjugate_gradients(Fields* f) const {
    Program q;
    apply(q, f, v, p);
    q.compute("dot", {{code_.dot, cells_}});
    q.pattern("sum_p_v", one_sum_, 4).does(with(f, [](Fields& u) { u.alpha = ratio(u.rho, u.dot(p, v)); }));
    q.compute("updates",
              {{code_.scalars, once_}, {code_.axpy, cells_}, {code_.axpy, cells_}, {code_.dot, cells_}})
        .does(with(f, [](Fields& u) {
          u.axpy(x, x, u.alpha, p);
          u.axpy(r, r, -u.alpha, v);
        }));
    q.pattern("sum_r_r", one_sum_, 13).does(with(f, [](Fields& u) {
      const float former = std::exchange(u.rho, u.dot(r, r));
      u.beta = ratio(u.rho, former);
    }));
    q.compute("direction", {{code_.scalars, once_}, {code_.axpy, cells_}}).does(with(f, [](Fields& u) {
      u.axpy(p, r, u.beta, p);
    }));
    return q;
  }

  /// van der Vorst's. r is also s, the residual halfway.
  Program bicgstab(Fields* f) const {
    Program q;
    apply(q, f, v, p);
    q.compute("dot", {{code_.dot, cells_}});
    q.pattern("sum_shadow_v", one_sum_, 4).does(with(f, [](Fields& u) {
      u.alpha = ratio(u.rho, u.dot(shadow, v));
    }));
    q.compute("halfway", {{code_.scalars, once_}, {code_.axpy, cells_}}).does(with(f, [](Fields& u) {
      u.axpy(r, r, -u.alpha, v);
    }));
    apply(q, f, t, r);
    q.compute("dots", {{code_.dot, cells_}, {code_.dot, cells_}});
    q.pattern("sum_t_s_t_t", two_sums_, 4).does(with(f, [](Fields& u) {
      u.omega = ratio(u.dot(t, r), u.dot(t, t));
    }));
    q.compute("updates", {{code_.scalars, once_},
                          {code_.axpy, cells_},
                          {code_.axpy, cells_},
                          {code_.axpy, cells_},
                          {code_.dot, cells_}})
        .does(with(f, [](Fields& u) {
          u.axpy(x, x, u.alpha, p);
          u.axpy(x, x, u.omega, r);
          u.axpy(r, r, -u.omega, t);
        }));
    q.pattern("sum_shadow_r", one_sum_, 13).does(with(f, [](Fields& u) {
      const float former = std::exchange(u.rho, u.dot(shadow, r));
      u.beta = ratio(u.rho, former) * ratio(u.alpha, u.omega);
    }));
    q.compute("direction", {{code_.scalars, once_}, {code_.axpy, cells_}, {code_.axpy, cells_}})
        .does(with(f, [](Fields& u) {
          u.axpy(p, p, -u.omega, v);
          u.axpy(p, r, u.beta, p);
        }));
    return q;
  }

 private:
  void apply(Program& q, Fields* f, Vector to, Vector from) const {
    q.stream("matrix", exchange_, 0, {{code_.apply, cells_}}).does(with(f, [to, from, this](Fields& u) {
      u.apply(to, from, *exchange_);
    }));
  }
  template <class Body>
  static std::function<void()> with(Fields* f, Body body) {
    if (f == nullptr) return {};
    return [f, body] { body(*f); };
  }

  Sections code_;
  std::vector<int> cells_, once_;
  std::shared_ptr<StarExchange> exchange_;
  std::shared_ptr<AllReduce> one_sum_, two_sums_;
};

/// Six weights, six vectors, the spare one, and products that wait to be added. Throws InputError when a
/// column is too long.
void check_memory(const Machine& machine, int cells) {
  TileMemory memory(machine);
  const std::int64_t vector = 2 * std::int64_t{cells};
  memory.allocate("weights", 6 * vector);
  memory.allocate("vectors", vectors * vector);
  memory.allocate("spare vector", vector);
  memory.allocate("products", vector);
}

/// The same by loops over the whole grid in double precision: x after so many iterations, [y][x][z].
class PlainLoop {
 public:
  PlainLoop(const TileGrid& grid, int cells, const Weights& weights)
      : g_(grid), nz_(cells), w_(weights), n_(std::size_t(grid.tiles()) * std::size_t(cells)) {}
  std::size_t at(int i, int j, int k) const {
    return (std::size_t(j) * std::size_t(g_.width) + std::size_t(i)) * std::size_t(nz_) + std::size_t(k);
  }

  std::vector<double> solve(bool bicgstab, int iterations) const {
    std::vector<double> f(n_), u(n_, 0.0);
    for (int j = 0; j < g_.height; ++j)
      for (int i = 0; i < g_.width; ++i)
        for (int k = 0; k < nz_; ++k) f[at(i, j, k)] = Fields::right_side(i, j, k);
    auto residual = f, direction = f;
    double rho = dot(f, residual);
    for (int m = 0; m < iterations; ++m) {
      const auto applied = apply(direction);
      const double alpha = ratio(rho, dot(bicgstab ? f : direction, applied));
      axpy(u, alpha, direction);
      axpy(residual, -alpha, applied);
      double scale = 1.0;
      if (bicgstab) {
        const auto second = apply(residual);
        const double omega = ratio(dot(second, residual), dot(second, second));
        axpy(u, omega, residual);
        axpy(residual, -omega, second);
        axpy(direction, -omega, applied);
        scale = ratio(alpha, omega);
      }
      const double former = std::exchange(rho, dot(bicgstab ? f : residual, residual));
      for (std::size_t e = 0; e < n_; ++e)
        direction[e] = residual[e] + ratio(rho, former) * scale * direction[e];
    }
    return u;
  }

 private:
  static double dot(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0.0;
    for (std::size_t e = 0; e < a.size(); ++e) sum += a[e] * b[e];
    return sum;
  }
  static void axpy(std::vector<double>& y, double scale, const std::vector<double>& with) {
    for (std::size_t e = 0; e < y.size(); ++e) y[e] += scale * with[e];
  }
  std::vector<double> apply(const std::vector<double>& u) const {
    std::vector<double> out(n_);
    const auto value = [&](int i, int j, int k) {
      return i < 0 || j < 0 || k < 0 || i >= g_.width || j >= g_.height || k >= nz_ ? 0.0 : u[at(i, j, k)];
    };
    for (int j = 0; j < g_.height; ++j)
      for (int i = 0; i < g_.width; ++i)
        for (int k = 0; k < nz_; ++k)
          out[at(i, j, k)] = value(i, j, k) + w_[0] * value(i + 1, j, k) + w_[1] * value(i - 1, j, k) +
                             w_[2] * value(i, j + 1, k) + w_[3] * value(i, j - 1, k) +
                             w_[4] * value(i, j, k - 1) + w_[5] * value(i, j, k + 1);
    return out;
  }
  TileGrid g_;
  int nz_;
  Weights w_;
  std::size_t n_;
};

struct Case {
  MachineOptions options;
  std::string method = "cg";
  int cells = 8, iterations = 12;
};

int run(const Case& c) {
  const Communicator comm;
  const Machine machine = c.options.read();
  const auto tiles = c.options.tiles_given().value_or(std::array{6, 5});
  const TileGrid grid = grid_on(machine, tiles);
  const Blocks blocks(comm, grid);
  check_memory(machine, c.cells);
  require_host_memory(comm, blocks, c.cells, 4.0 * static_cast<int>(vectors), 48.0);
  const bool bicgstab = c.method == "bicgstab";
  Fields fields(comm, blocks, machine, c.cells, bicgstab ? with_wind : symmetric);
  const Solver solver(machine, blocks, c.cells);
  const Program iteration = bicgstab ? solver.bicgstab(&fields) : solver.conjugate_gradients(&fields);
  run_on_data(comm, blocks, machine, iteration, c.iterations);
  const PlainLoop plain(grid, c.cells, fields.weights);
  const auto expected = plain.solve(bicgstab, c.iterations);
  Difference difference;
  fields.for_each([&](int i, int j, int k) {
    difference.see(fields.of[x][fields.at(i, j, k)],
                   expected[plain.at(blocks.mine().x0 + i, blocks.mine().y0 + j, k)]);
  });
  // Values are of order one and have eleven bits.
  return difference.within(comm, 0.01) ? 0 : checks_failed;
}

int validate(const Case& c) {
  const Communicator comm;
  const Machine machine = c.options.read();
  const TileGrid grid = grid_on(machine, {600, 595});
  const int cells = 1536, flops_of_cell = 44;  // 2 x 12 of the matrix, 4 x 2 of dots, 6 x 2 of updates
  const Blocks blocks(comm, grid);
  check_memory(machine, cells);
  const Solver solver(machine, blocks, cells);
  const Program iteration = solver.bicgstab(nullptr);
  if (comm.is_root()) print_program(iteration, machine, grid);
  const double seconds = cycles_of_a_run(comm, blocks, machine, iteration) / machine.clock_hz;
  const auto seconds_on = [&](const Machine& other) {
    const Solver there(other, blocks, cells);
    return predicted_seconds(there.bicgstab(nullptr), other, grid);
  };
  // Its tiles and clock are not published in numbers: 633 x 600 are about 380,000. Shown, not held.
  const auto all_reduce = [](const Machine& other) {
    return static_cast<double>(all_reduce_cycles(other.fabric, 633, 600, 1)) / other.clock_hz;
  };
  beside(comm, machine, all_reduce(machine),
         {published::all_reduce_most, [](double s) { return 1e6 * s; }, all_reduce,
          std::numeric_limits<double>::infinity()});
  const double flops = double(flops_of_cell) * cells * double(grid.tiles());
  const auto petaflops = [&](double s) { return 1e-15 * flops / s; };
  return beside(comm, machine, seconds, {published::bicgstab_rate, petaflops, seconds_on}) ? 0
                                                                                           : checks_failed;
}

void add_options(CLI::App& command, Case& c) {
  command.add_option("--method", c.method, "cg or bicgstab")->check(one_of({"cg", "bicgstab"}));
  command.add_option("--cells", c.cells, "cells of a tile's column")->transform(whole_number_in({1, 1e5}));
  command.add_option("--iterations", c.iterations, "iterations")->transform(whole_number_in({1, 1000}));
}
void add_commands(CLI::App& app, std::function<int()>& action) {
  add_run_and_validate<Case>(app, action, "Solve on a small grid, and compare with a plain loop", add_options,
                             run, validate);
}

}  // namespace
}  // namespace wafermark::wse

int main(int argc, char** argv) {
  return wafermark::run_commands(argc, argv, "conjugate_gradients", "Krylov solvers on an emulated wafer.",
                                 wafermark::wse::add_commands);
}
