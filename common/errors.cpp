#include "common/errors.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <impl/Kokkos_Command_Line_Parsing.hpp>
#include <new>
#include <regex>
#include <string_view>
#include <vector>

#include "common/cpu_level_check.hpp"
#include "common/device_check.hpp"
#include "common/hdf5_file.hpp"
#include "common/mpi_start.hpp"
#include "common/plain_program.hpp"
#include "common/printable.hpp"
#include "common/runtime.hpp"
#include "common/thread_binding.hpp"

namespace wafermark {
namespace {

struct Outcome {
  int code = 0;
  std::string message;
  bool failed = true;  ///< by an exception
};

/// What Kokkos says over several lines about an array that does not fit, in one; any other text as it is.
std::string shortened(const std::string& message) {
  if (message.find("Kokkos") == std::string::npos || message.find("allocat") == std::string::npos)
    return message;
  const auto label = message.find("label"), open = message.find('"', label),
             close = message.find('"', open + 1);
  if (label == std::string::npos || close == std::string::npos) return "out of memory: " + message;
  return fmt::format("out of memory: no room for the array '{}'", message.substr(open + 1, close - open - 1));
}

Outcome attempt(const std::function<int()>& body) {
  try {
    return {body(), "", false};
  } catch (const InputError& e) {
    return {2, e.what()};
  } catch (const CheckFailure& e) {
    return {3, e.what()};
  } catch (const std::length_error& e) {
    return {1, message_of(e)};
  } catch (const std::logic_error& e) {
    return {1, fmt::format("a defect of this program ({}); please report it with the input", e.what())};
  } catch (const std::exception& e) {
    return {1, message_of(e)};
  } catch (...) {
    return {1, "an exception of unknown type; please report it with the input"};
  }
}

/// Words of the command line that are Kokkos' ("--kokkos-..."), and the program's own; both with the
/// program's name in front. Kokkos sees no others: it would print its own page for --help.
struct Words {
  std::vector<char*> own, kokkos;
};

Words divide(int argc, char** argv) {
  Words words;
  for (int k = 0; k < argc; ++k) {
    const bool theirs = k > 0 && std::string_view(argv[k]).starts_with("--kokkos-");
    if (k == 0 || theirs) words.kokkos.push_back(argv[k]);
    if (!theirs) words.own.push_back(argv[k]);
  }
  for (auto* part : {&words.own, &words.kokkos}) part->push_back(nullptr);
  return words;
}

/// Answered without Kokkos where a program for GPUs finds none, as on the node where one logs in.
bool asks_what_there_is(const std::vector<char*>& words) {
  for (const char* word : words) {
    if (word == nullptr || std::string_view(word) == "--") return false;
    for (const char* question : {"--help", "-h", "--version"})
      if (std::string_view(word) == question) return true;
  }
  return false;
}

/// Kokkos aborts with a backtrace at these values; this is one line.
void check_kokkos_number(const std::string& name, const std::string& value, long least, long most) {
  const bool whole =
      !value.empty() && value.size() < 7 && value.find_first_not_of("0123456789") == std::string::npos;
  if (!whole || std::stol(value) < least || std::stol(value) > most)
    throw InputError(fmt::format("{}={}: expected a whole number from {} to {}", name, value, least, most));
}

void check_kokkos_numbers(const std::vector<char*>& words, const Devices& devices) {
  struct Number {
    std::string word, variable;
    long least, most;
  };
  constexpr long many = 65536;
  for (const Number& n :
       {Number{"--kokkos-num-threads", "KOKKOS_NUM_THREADS", 1, many},
        Number{"--kokkos-device-id", "KOKKOS_DEVICE_ID", 0, devices.expected ? devices.count - 1 : many}}) {
    if (const char* value = std::getenv(n.variable.c_str()))
      check_kokkos_number(n.variable, value, n.least, n.most);
    for (const char* word : words)
      if (word != nullptr && std::string_view(word).starts_with(n.word + "="))
        check_kokkos_number(n.word, word + n.word.size() + 1, n.least, n.most);
  }
}

/// The last part of a path.
std::string name_of_program(std::string_view path) {
  return std::string(path.substr(path.find_last_of('/') + 1));
}

void tell_of_crowded_threads(const char* program) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const auto told = crowded_threads(Kokkos::DefaultHostExecutionSpace().concurrency(), usable_cpus());
  if (rank == 0 && told) std::fprintf(stderr, "%s: %s\n", name_of_program(program).c_str(), told->c_str());
}

int with_kokkos(Words words, const std::function<int(int, char**)>& body) {
  const bool help = std::any_of(words.kokkos.begin(), words.kokkos.end() - 1,
                                [](const char* word) { return std::string_view(word) == "--kokkos-help"; });
  const Devices devices = find_devices();
  if (devices.expected && devices.count == 0 && asks_what_there_is(words.own))
    return body(static_cast<int>(words.own.size()) - 1, words.own.data());
  expect_devices(devices);
  check_kokkos_numbers(words.kokkos, devices);
  Kokkos::Impl::do_not_warn_not_recognized_command_line_argument(std::regex("--kokkos-.*"));
  int left = static_cast<int>(words.kokkos.size()) - 1;
  const runtime::KokkosScope kokkos(left, words.kokkos.data());
  if (help) return 0;
  if (left > 1)
    throw InputError(
        fmt::format("{}: Kokkos has no such option (--kokkos-help lists what there is)", words.kokkos[1]));
  tell_of_crowded_threads(words.own.front());
  return body(static_cast<int>(words.own.size()) - 1, words.own.data());
}

/// Waits a moment for the other ranks to fail too. True when all have: then the program may end in good
/// order. A rank that does not come is still computing or waiting for this one, and must be aborted.
bool all_ranks_failed(MPI_Comm ending) {
  MPI_Request request;
  if (MPI_Ibarrier(ending, &request) != MPI_SUCCESS) return false;
  const double patience_seconds = 2.0, start = MPI_Wtime();
  for (int done = 0; MPI_Wtime() - start < patience_seconds;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done) return true;
  }
  return false;
}

}  // namespace

std::string message_of(const std::exception& e) {
  if (dynamic_cast<const std::length_error*>(&e) != nullptr)
    return "out of memory: an array would have more elements than there are addresses";
  const std::string text = shortened(e.what());  // Kokkos before 5.2 says which array
  const bool memory = dynamic_cast<const std::bad_alloc*>(&e) != nullptr;
  return memory && !text.starts_with("out of memory") ? "out of memory: an array does not fit" : text;
}

int run_plain_program(const std::string& name, const std::function<int()>& body) {
  const Outcome outcome = attempt(body);
  if (outcome.failed) std::fprintf(stderr, "%s: %s\n", name.c_str(), printable(outcome.message).c_str());
  return outcome.code;
}

int run_program(int argc, char** argv, const std::function<int(int, char**)>& body) {
  start_mpi(&argc, &argv);
  for (MPI_Comm comm : {MPI_COMM_WORLD, MPI_COMM_SELF}) MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  // Ranks meet here at the end and nowhere else: what they left unfinished elsewhere cannot get between.
  MPI_Comm ending = MPI_COMM_WORLD;
  MPI_Comm_dup(MPI_COMM_WORLD, &ending);
  // Kokkos' advice on binding and oversubscription is for interactive use; it would repeat on every rank.
  setenv("KOKKOS_DISABLE_WARNINGS", "1", 0);
  int rank = 0, size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const Outcome outcome = attempt([&] {
    check_cpu_level(Communicator());
    return with_kokkos(divide(argc, argv), body);
  });
  if (!outcome.failed) {
    MPI_Finalize();
    return outcome.code;
  }
  const std::string name = name_of_program(argc > 0 ? argv[0] : "wafermark");
  const std::string message = printable(outcome.message);
  if (all_ranks_failed(ending)) {
    // Ranks may have failed in different ways: the lowest rank with the highest code speaks for all.
    int first = outcome.code * size + (size - 1 - rank);
    MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MAX, ending);
    if (rank == size - 1 - first % size) std::fprintf(stderr, "%s: %s\n", name.c_str(), message.c_str());
    std::fflush(nullptr);
    MPI_Barrier(ending);  // a launcher kills the others, message or not, when a rank ends with an error
    // HDF5 flushes files that an exception left open inside of MPI_Finalize, and on a full disk it dies
    // there.
    if (hdf5_files_are_open()) std::_Exit(first / size);
    MPI_Finalize();
    return first / size;
  }
  const bool says_rank = message.starts_with("rank ");  // errors of MPI do
  const std::string who = says_rank ? "" : fmt::format("rank {} of {}: ", rank, size);
  std::fprintf(stderr, "%s: %s%s\n", name.c_str(), who.c_str(), message.c_str());
  std::fflush(stderr);
  MPI_Abort(MPI_COMM_WORLD, outcome.code);
  return outcome.code;
}

}  // namespace wafermark
