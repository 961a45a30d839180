// The 25-point stencil of seismic imaging as a tile program: the wave equation, order 8 in space and 2 in
// time, a column of cells on every tile (Jacquelin et al., SC22; arXiv 2204.03775).
//
//   stencil25 run --tiles 12x9 --cells 20 --steps 3     on data, against a plain loop
//   stencil25 validate                                  755 x 994 x 1000 cells, against the published step
//
// Every tile needs the columns of its four neighbours each way along both axes. A column is multiplied by its
// weight while it arrives, and added from memory: the core has no multiply-add of a word of the fabric into a
// vector. What goes out is an instruction too. Sums alternate between two banks of memory, so that none is
// read and written in one instruction.
#include "example.hpp"
#include "wse_emulator/counted.hpp"
#include "wse_emulator/fabric/star_exchange.hpp"
#include "wse_emulator/tile_memory.hpp"

namespace wafermark::wse {
namespace {

constexpr int reach = 4;
constexpr float centre = -2.0f, speed = 0.01f;
constexpr float beside_weight[reach] = {0.1f, 0.05f, 0.033f, 0.025f},
                above_weight[reach] = {0.05f, 0.025f, 0.0167f, 0.0125f};

// One element of each vector instruction. `to`, and what is read, are in memory or come from the fabric.
template <class T>
void multiply(T& to, const T& weight, const T& u) {
  to = weight * u;
}
template <class T>
void add(T& to, const T& sum, const T& u) {
  to = sum + u;
}
template <class T>
void multiply_add(T& to, const T& sum, const T& weight, const T& u) {
  to = sum + weight * u;
}
/// The wave equation's step in time, before <- 2 now - before + speed * sum, by way of `work`.
template <class T>
void advance(T& before, T& work, const T& now, const T& squared_speed, const T& sum) {
  work = now + now;
  before = work - before;
  work = squared_speed * sum;
  before = work + before;
}

/// Counts of a cell: what arrives and goes out; what its own column gives.
struct CellCounts {
  OperationCounts exchanged, own;

  CellCounts() {
    using C = Counted<float>;
    auto m = in_memory<float>(5);
    const C weight = 1.0f, word = 1.0f;
    exchanged = 4 * reach * counted([&] {
                  multiply(m[0], weight, word);
                  add(m[2], m[1], m[0]);
                });
    for (int link = 0; link < 4; ++link) {
      exchanged[Operation::move] += 1;
      exchanged[Operation::load] += 1;
    }
    own = counted([&] { multiply(m[1], weight, m[0]); }) +
          2 * reach * counted([&] { multiply_add(m[2], m[1], weight, m[0]); }) +
          counted([&] { advance(m[0], m[1], m[2], m[3], m[4]); });
  }
};

/// What a tile keeps, a bank for each so that no instruction meets itself. Throws InputError when a column is
/// too long.
void check_memory(const Machine& machine, int cells) {
  TileMemory memory(machine);
  for (const char* name : {"now", "before", "speed squared", "sum", "other sum",
                           "products of the row's streams", "products of the column's streams"}) {
    memory.begin_bank();
    memory.allocate(name, 4 * std::int64_t{cells});
  }
}

struct Case {
  MachineOptions options;
  int cells = 20, steps = 3;
};

/// The program of a step. Without fields it moves no data, and is priced all the same.
struct Fields;
class Stencil {
 public:
  Stencil(const Machine& machine, const Blocks& blocks, int cells)
      : exchanged_(Section::vector(machine, CellCounts().exchanged)),
        own_(Section::vector(machine, CellCounts().own)),
        cells_(static_cast<std::size_t>(blocks.mine().tiles()), cells),
        exchange_(std::make_shared<StarExchange>(reach, cells)) {}
  Program step(Fields* fields) const;

 private:
  Section exchanged_, own_;
  std::vector<int> cells_;
  std::shared_ptr<StarExchange> exchange_;
};

/// [tile][z] of this rank's block, `now` with its border.
struct Fields {
  int cells;
  Block block;
  BorderExchange border;
  std::vector<float> now, before;

  Fields(const Communicator& comm, const Blocks& blocks, int cells_)
      : cells(cells_),
        block(blocks.mine()),
        border(comm, blocks, reach),
        now(border.border().size() * std::size_t(cells)) {
    for_each([&](int x, int y, int z) { now[at(x, y, z)] = start(block.x0 + x, block.y0 + y, z); });
    before = now;
  }
  static float start(int x, int y, int z) {
    return std::sin(0.1f * float(x)) + 0.5f * std::cos(0.07f * float(y)) + 0.01f * float(z);
  }
  template <class Body>
  void for_each(const Body& body) const {
    for (int y = 0; y < block.height; ++y)
      for (int x = 0; x < block.width; ++x)
        for (int z = 0; z < cells; ++z) body(x, y, z);
  }
  std::size_t at(int x, int y, int z) const {
    return border.border().index(x, y) * std::size_t(cells) + std::size_t(z);
  }

  /// What the phases of a step do to all cells, by the elements above.
  void advance_all() {
    for_each([&](int x, int y, int z) {
      float sum, other, product, work;
      multiply(sum, centre, now[at(x, y, z)]);
      for (int r = 1; r <= reach; ++r) {
        for (const auto& [dx, dy] : {std::pair{r, 0}, {-r, 0}, {0, r}, {0, -r}}) {
          multiply(product, beside_weight[r - 1], now[at(x + dx, y + dy, z)]);
          add(other, sum, product);
          std::swap(sum, other);
        }
        for (const int at_z : {z + r, z - r}) {
          multiply_add(other, sum, above_weight[r - 1],
                       at_z < 0 || at_z >= cells ? 0.0f : now[at(x, y, at_z)]);
          std::swap(sum, other);
        }
      }
      advance(before[at(x, y, z)], work, now[at(x, y, z)], speed, sum);
    });
    for_each([&](int x, int y, int z) { std::swap(now[at(x, y, z)], before[at(x, y, z)]); });
  }
};

Program Stencil::step(Fields* fields) const {
  Program p;
  auto& exchange = p.stream("neighbours", exchange_, 0, {{exchanged_, cells_}});
  auto& rest = p.compute("own_column", {{own_, cells_}});
  if (fields == nullptr) return p;
  exchange.does([fields, this] { exchange_->move(fields->border, fields->now, fields->cells, 0); });
  rest.does([fields] { fields->advance_all(); });
  return p;
}

/// The same on the whole grid by a loop that knows no tiles.
Difference difference_from_loop(const Fields& fields, const TileGrid& g, int steps) {
  const int nz = fields.cells;
  const auto index = [&](int x, int y, int z) {
    return (std::size_t(y) * std::size_t(g.width) + std::size_t(x)) * std::size_t(nz) + std::size_t(z);
  };
  std::vector<double> now(std::size_t(g.tiles()) * std::size_t(nz)), before, next(now.size());
  for (int y = 0; y < g.height; ++y)
    for (int x = 0; x < g.width; ++x)
      for (int z = 0; z < nz; ++z) now[index(x, y, z)] = Fields::start(x, y, z);
  before = now;
  const auto value = [&](int x, int y, int z) {
    return x < 0 || y < 0 || z < 0 || x >= g.width || y >= g.height || z >= nz ? 0.0 : now[index(x, y, z)];
  };
  for (int k = 0; k < steps; ++k) {
    for (int y = 0; y < g.height; ++y)
      for (int x = 0; x < g.width; ++x)
        for (int z = 0; z < nz; ++z) {
          double sum = centre * value(x, y, z);
          for (int r = 1; r <= reach; ++r)
            sum += beside_weight[r - 1] *
                       (value(x + r, y, z) + value(x - r, y, z) + value(x, y + r, z) + value(x, y - r, z)) +
                   above_weight[r - 1] * (value(x, y, z + r) + value(x, y, z - r));
          next[index(x, y, z)] = 2.0 * value(x, y, z) - before[index(x, y, z)] + speed * sum;
        }
    before = now;
    now = next;
  }
  Difference difference;
  fields.for_each([&](int x, int y, int z) {
    difference.see(fields.now[fields.at(x, y, z)], now[index(fields.block.x0 + x, fields.block.y0 + y, z)]);
  });
  return difference;
}

int run(const Case& c) {
  const Communicator comm;
  const Machine machine = c.options.read();
  const auto tiles = c.options.tiles_given().value_or(std::array{12, 9});
  const TileGrid grid = grid_on(machine, tiles);
  const Blocks blocks(comm, grid);
  check_memory(machine, c.cells);
  require_host_memory(comm, blocks, c.cells, 8.0, 24.0);
  Fields fields(comm, blocks, c.cells);
  const Stencil stencil(machine, blocks, c.cells);
  const Program step = stencil.step(&fields);
  run_on_data(comm, blocks, machine, step, c.steps);
  return difference_from_loop(fields, grid, c.steps).within(comm, 1e-4) ? 0 : checks_failed;
}

int validate(const Case& c) {
  const Communicator comm;
  const Machine machine = c.options.read();
  const int cells = 1000;
  const TileGrid grid = grid_on(machine, {755, 994});
  const Blocks blocks(comm, grid);
  check_memory(machine, cells);
  const Stencil stencil(machine, blocks, cells);
  const Program step = stencil.step(nullptr);
  if (comm.is_root()) print_program(step, machine, grid);
  const double seconds = cycles_of_a_run(comm, blocks, machine, step) / machine.clock_hz;
  const auto seconds_on = [&](const Machine& other) {
    const Stencil there(other, blocks, cells);
    return predicted_seconds(there.step(nullptr), other, grid);
  };
  const auto microseconds = [](double s) { return 1e6 * s; };
  return beside(comm, machine, seconds, {published::stencil25_step, microseconds, seconds_on})
             ? 0
             : checks_failed;
}

void add_options(CLI::App& command, Case& c) {
  command.add_option("--cells", c.cells, "cells of a tile's column")->transform(whole_number_in({1, 1e5}));
  command.add_option("--steps", c.steps, "steps in time")->transform(whole_number_in({1, 1e5}));
}
void add_commands(CLI::App& app, std::function<int()>& action) {
  add_run_and_validate<Case>(app, action, "Step a small grid, and compare with a plain loop", add_options,
                             run, validate);
}

}  // namespace
}  // namespace wafermark::wse

int main(int argc, char** argv) {
  return wafermark::run_commands(argc, argv, "stencil25", "The 25-point stencil on an emulated wafer.",
                                 wafermark::wse::add_commands);
}
