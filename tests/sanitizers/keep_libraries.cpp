// Keeps every library loaded until the process ends. Open MPI unloads its plugins in MPI_Finalize;
// LeakSanitizer, which looks after that, could no longer tell whose leaks they are, and leaks.txt would match
// nothing.
extern "C" int dlclose(void*) { return 0; }
