// Whether GCC's and clang's questions to an x86 CPU compile (__builtin_cpu_supports and the like): not for
// other CPUs, and not in the half of hipcc's work that is for a device.
#pragma once

#if defined(__x86_64__) && !defined(__HIP_DEVICE_COMPILE__)
#define WAFERMARK_X86_QUESTIONS 1
#endif
