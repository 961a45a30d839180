// C = A B as a tile program, dense, fp32, after Cannon: a block of each matrix on every tile; A's blocks go
// round their rows and B's round their columns, one tile a step, while the tile multiplies those that it has.
//
//   matrix_product run --tiles 4x4 --block 6      on data, against a plain loop
//   matrix_product validate                       33,000 x 33,000 on 750 x 750 tiles, against the published
//   rate
//
// A tile's product is a loop of vector multiply-adds, a column of C at a time: c <- c + a b, where the number
// b is in a register. Destination and source are the same column, so they meet in a bank of memory, which
// serves one access a cycle.
#include "example.hpp"
#include "wse_emulator/counted.hpp"
#include "wse_emulator/fabric/shift.hpp"
#include "wse_emulator/tile_memory.hpp"

namespace wafermark::wse {
namespace {

/// c + a b of one element; a column of these is one vector instruction.
template <class T>
void multiply_add(T& c, const T& a, const T& b) {
  c = c + a * b;
}

/// What a tile does around each vector instruction: reads b, moves the descriptors of c's column on, counts
/// and jumps.
OperationCounts around_instruction() {
  return counted([] {
    const auto memory = in_memory<float>(1);
    const Counted<float> b = memory[0];
    count(Operation::integer, 1);  // b's address
    count(Operation::integer, 2);  // c's column, as destination and as source
    count(Operation::integer, 1);  // the counter
    count(Operation::branch);
  });
}

OperationCounts of_element() {
  auto c = in_memory<float>(1);
  const auto a = in_memory<float>(1);
  return counted([&] { multiply_add(c[0], a[0], Counted<float>(2.0f)); });
}

/// Three blocks, and the two that arrive meanwhile, in this order.
double operands_in_one_bank(const Machine& machine, int block) {
  TileMemory memory(machine);
  const std::int64_t bytes = 4 * std::int64_t{block} * block;
  for (const char* name : {"C", "B", "next B", "A", "next A"}) memory.allocate(name, bytes);
  return std::max(memory.share_a_bank("C", "C"), memory.share_a_bank("C", "A"));
}

/// Blocks of a tile, column by column, with a border of one tile for what goes round.
struct MatrixBlocks {
  int n;
  Block mine;
  BorderExchange border;
  std::vector<float> a, b, c;

  MatrixBlocks(const Communicator& comm, const Blocks& blocks, int n_)
      : n(n_),
        mine(blocks.mine()),
        border(comm, blocks, 1),
        a(border.border().size() * words()),
        b(a.size()),
        c(a.size()) {
    const int tiles = blocks.grid().width;
    for_each_tile([&](int x, int y) {
      // As after Cannon's skew: row y begins with A's block x + y, column x with B's.
      const int k = (mine.x0 + x + mine.y0 + y) % tiles;
      for (int j = 0; j < n; ++j)
        for (int i = 0; i < n; ++i) {
          a[at(x, y, i, j)] = value_a((mine.y0 + y) * n + i, k * n + j);
          b[at(x, y, i, j)] = value_b(k * n + i, (mine.x0 + x) * n + j);
        }
    });
  }
  static float value_a(int i, int j) { return 0.1f * float((3 * i + j) % 7 - 3); }
  static float value_b(int i, int j) { return 0.2f * float((i + 5 * j) % 5 - 2); }
  std::size_t words() const { return std::size_t(n) * std::size_t(n); }
  std::size_t at(int x, int y, int i, int j) const {
    return border.border().index(x, y) * words() + std::size_t(j) * std::size_t(n) + std::size_t(i);
  }
  template <class Body>
  void for_each_tile(const Body& body) const {
    for (int y = 0; y < mine.height; ++y)
      for (int x = 0; x < mine.width; ++x) body(x, y);
  }
  void multiply() {
    for_each_tile([&](int x, int y) {
      for (int k = 0; k < n; ++k)
        for (int j = 0; j < n; ++j)
          for (int i = 0; i < n; ++i) multiply_add(c[at(x, y, i, j)], a[at(x, y, i, k)], b[at(x, y, k, j)]);
    });
  }
};

/// A step of the product. Without blocks it moves no data, and is priced all the same.
class Product {
 public:
  Product(const Machine& machine, const Blocks& blocks, int n, double in_one_bank)
      :  // One vector instruction over a column for each of the n x n numbers of B's block, the half of them
         // while A's next block comes and the other half while B's does.
        first_half_(std::size_t(blocks.mine().tiles()), n * n / 2),
        second_half_(first_half_.size(), n * n - n * n / 2),
        instruction_(Section::vector(machine, of_element(), {.in_one_bank = in_one_bank}).run_of(n)),
        around_(Section::scalar(machine, around_instruction())),
        to_west_(std::make_shared<Shift>(Link::west, n * n)),
        to_north_(std::make_shared<Shift>(Link::north, n * n)) {}

  Program step(MatrixBlocks* blocks) const {
    Program p;
    Phase& first =
        p.stream("product_as_a_comes", to_west_, 0, {{instruction_, first_half_}, {around_, first_half_}});
    Phase& second =
        p.stream("product_as_b_comes", to_north_, 2, {{instruction_, second_half_}, {around_, second_half_}});
    if (blocks == nullptr) return p;
    // What comes lies beside what is multiplied until the step is over.
    first.does([blocks, this] {
      blocks->multiply();
      to_west_->move(blocks->border, blocks->a);
    });
    second.does([blocks, this] { to_north_->move(blocks->border, blocks->b); });
    return p;
  }

 private:
  std::vector<int> first_half_, second_half_;
  Section instruction_, around_;
  std::shared_ptr<Shift> to_west_, to_north_;
};

Difference difference_from_loop(const MatrixBlocks& blocks, int size) {
  Difference difference;
  const int n = blocks.n;
  blocks.for_each_tile([&](int x, int y) {
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        double sum = 0.0;
        for (int k = 0; k < size; ++k)
          sum += double(MatrixBlocks::value_a((blocks.mine.y0 + y) * n + i, k)) *
                 MatrixBlocks::value_b(k, (blocks.mine.x0 + x) * n + j);
        difference.see(blocks.c[blocks.at(x, y, i, j)], sum);
      }
  });
  return difference;
}

struct Case {
  MachineOptions options;
  int block = 6;
};

int run(const Case& c) {
  const Communicator comm;
  const Machine machine = c.options.read();
  const auto tiles = c.options.tiles_given().value_or(std::array{4, 4});
  if (tiles[0] != tiles[1])
    throw InputError(
        fmt::format("--tiles: found {}x{}, expected as many columns as rows", tiles[0], tiles[1]));
  const TileGrid grid = grid_on(machine, tiles, {true, true});
  const Blocks blocks(comm, grid);
  const double in_one_bank = operands_in_one_bank(machine, c.block);
  require_host_memory(comm, blocks, double(c.block) * c.block, 12.0, 0.0);
  MatrixBlocks matrices(comm, blocks, c.block);
  const Product product(machine, blocks, c.block, in_one_bank);
  const Program step = product.step(&matrices);
  run_on_data(comm, blocks, machine, step, grid.width);
  return difference_from_loop(matrices, grid.width * c.block).within(comm, 1e-4) ? 0 : checks_failed;
}

int validate(const Case& c) {
  const Communicator comm;
  const Machine machine = c.options.read();
  const int n = 44;
  const TileGrid grid = grid_on(machine, {750, 750}, {true, true});
  const Blocks blocks(comm, grid);
  const double in_one_bank = operands_in_one_bank(machine, n);
  const Product product(machine, blocks, n, in_one_bank);
  const Program step = product.step(nullptr);
  const double cycles = cycles_of_a_run(comm, blocks, machine, step), size = double(n) * grid.width;
  if (comm.is_root()) {
    print_program(step, machine, grid);
    fmt::print("  {:.1f} cycles for {} elements of a column; operands in one bank: {:.2f}\n",
               cycles / (n * n), n, in_one_bank);
  }
  const auto seconds_on = [&](const Machine& other) {
    const Product there(other, blocks, n, in_one_bank);  // blocks lie where they lie
    return grid.width * predicted_seconds(there.step(nullptr), other, grid);
  };
  const auto teraflops = [&](double s) { return 1e-12 * 2.0 * size * size * size / s; };
  return beside(comm, machine, grid.width * cycles / machine.clock_hz,
                {published::matrix_product_rate, teraflops, seconds_on})
             ? 0
             : checks_failed;
}

void add_options(CLI::App& command, Case& c) {
  command.add_option("--block", c.block, "rows and columns of a tile's blocks")
      ->transform(whole_number_in({1, 1000}));
}
void add_commands(CLI::App& app, std::function<int()>& action) {
  add_run_and_validate<Case>(app, action, "Multiply small matrices, and compare with a plain loop",
                             add_options, run, validate);
}

}  // namespace
}  // namespace wafermark::wse

int main(int argc, char** argv) {
  return wafermark::run_commands(argc, argv, "matrix_product", "A dense matrix product on an emulated wafer.",
                                 wafermark::wse::add_commands);
}
