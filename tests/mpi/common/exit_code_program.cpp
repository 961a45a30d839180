// A program that ends as its arguments say, for test_exit_codes.sh: "all|one good|input|check|defect".
#include <stdexcept>
#include <string>

#include "common/communicator.hpp"
#include "common/errors.hpp"

int main(int argc, char** argv) {
  return wafermark::run_program(argc, argv, [](int n, char** words) {
    const wafermark::Communicator comm;
    const std::string who = n > 1 ? words[1] : "all", how = n > 2 ? words[2] : "good";
    const bool mine = who == "all" || comm.rank() == comm.size() - 1;
    if (mine && how == "input") throw wafermark::InputError("deck.toml:3: found a, expected b");
    if (mine && how == "check") throw wafermark::CheckFailure("energy: 1, expected 0 +- 0.1");
    if (mine && how == "defect") throw std::runtime_error("atoms lost");
    comm.barrier();
    return 0;
  });
}
