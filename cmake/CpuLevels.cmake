# CPU levels, lowest first, and what each is compiled with. common/cpu_levels.cpp asks a CPU for just these instructions.
set(wafermark_known_cpu_levels x86-64-v3 x86-64-v4 x86-64-v4-vnni)
set(wafermark_options_of_x86-64-v3 -march=x86-64-v3)
set(wafermark_options_of_x86-64-v4 -march=x86-64-v4)
set(wafermark_options_of_x86-64-v4-vnni
  -march=x86-64-v4 -mavx512ifma -mavx512vbmi -mavx512vbmi2 -mavx512vnni -mavx512bitalg -mavx512vpopcntdq)
