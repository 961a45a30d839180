// main() of every test binary. A failure on any rank fails the run; only rank 0 prints what passes.
#include <gtest/gtest.h>
#include <mpi.h>

#include <Kokkos_Core.hpp>

#include "common/mpi_start.hpp"

int main(int argc, char** argv) {
  wafermark::start_mpi(&argc, &argv);
  int failed = 0;
  {
    Kokkos::ScopeGuard kokkos(argc, argv);
    ::testing::InitGoogleTest(&argc, argv);
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank != 0) {
      auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
      class FailuresOnly : public ::testing::EmptyTestEventListener {
        int rank_;
        void OnTestPartResult(const ::testing::TestPartResult& r) override {
          if (r.failed())
            std::printf("[rank %d] %s:%d: %s\n", rank_, r.file_name(), r.line_number(), r.message());
        }

       public:
        explicit FailuresOnly(int rank) : rank_(rank) {}
      };
      delete listeners.Release(listeners.default_result_printer());
      listeners.Append(new FailuresOnly(rank));
    }
    failed = RUN_ALL_TESTS();
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  }
  MPI_Finalize();
  return failed;
}
