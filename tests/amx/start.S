// From a PC's reset to a C++ function with AVX-512 and AMX switched on, without an operating system: Linux
// allows AMX only where the CPU has a feature (XFD) that Bochs lacks.
//
// The BIOS puts the first 512 bytes of the disk at 0x7c00 and starts them; they fetch the rest behind
// themselves, so that all of it lies where alone.ld says.
        .section .start, "ax"
        .globl start
        .code16
start:  xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7c00, %sp
        mov     $disk_chunks, %cx       // of 32 KiB; by the linker
fetch:  push    %cx
        mov     $packet, %si
        mov     $0x42, %ah              // read sectors; dl is the disk still
        int     $0x13
        jc      stop
        addw    $0x800, packet + 6
        addl    $64, packet + 8
        pop     %cx
        loop    fetch
        cli                             // the BIOS may have allowed interrupts
        in      $0x92, %al              // addresses beyond 1 MiB
        or      $2, %al
        out     %al, $0x92
        lgdt    table_place
        mov     %cr0, %eax
        or      $1, %eax
        mov     %eax, %cr0
        ljmp    $0x08, $with_32_bits
stop:   hlt
        jmp     stop

        .balign 8
packet: .byte   16, 0
        .word   64, 0, 0x7e0            // sectors; offset and segment
        .quad   1                       // first sector
table:  .quad   0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00af9a000000ffff  // -, code, data, 64-bit code
table_place:
        .word   . - table - 1
        .long   table
        .org    510
        .word   0xaa55

        .code32
with_32_bits:
        mov     $0x10, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        cld
        mov     $zeros_begin, %edi      // all that begins as zero, page tables too
        mov     $zeros_end, %ecx
        sub     %edi, %ecx
        shr     $2, %ecx
        xor     %eax, %eax
        rep stosl
        movl    $pages_1g + 3, pages_512g
        movl    $0x83, pages_1g         // the first GiB, as it is
        mov     $pages_512g, %eax
        mov     %eax, %cr3
        mov     %cr4, %eax
        or      $0x40620, %eax          // PAE, SSE, its exceptions, XSAVE
        mov     %eax, %cr4
        mov     $0xc0000080, %ecx       // EFER: long mode
        rdmsr
        or      $0x100, %eax
        wrmsr
        mov     %cr0, %eax
        and     $0xfffffff3, %eax       // no emulated FPU, nothing switched
        or      $0x80000022, %eax       // paging, FPU errors
        mov     %eax, %cr0
        ljmp    $0x18, $with_64_bits

        .code64
with_64_bits:
        xor     %ecx, %ecx              // x87, SSE, AVX, AVX-512, tiles and their configuration
        xor     %edx, %edx
        mov     $0x600e7, %eax
        xsetbv
        mov     $stack_end, %rsp
        call    run_alone
1:      hlt
        jmp     1b

// What a compiler calls of a C library: (to, from, bytes); memset (to, byte, bytes).
        .globl  memcpy, memmove, memset, memcmp
memmove:
        cmp     %rsi, %rdi
        jb      memcpy
        lea     -1(%rdi, %rdx), %rdi    // backwards
        lea     -1(%rsi, %rdx), %rsi
        mov     %rdx, %rcx
        std
        rep movsb
        cld
        lea     1(%rdi), %rax
        ret
memcpy: mov     %rdi, %rax
        mov     %rdx, %rcx
        rep movsb
        ret
memset: mov     %rdi, %r8
        mov     %esi, %eax
        mov     %rdx, %rcx
        rep stosb
        mov     %r8, %rax
        ret
memcmp: xor     %eax, %eax              // whether they differ
        mov     %rdx, %rcx
        cmp     %rax, %rax
        repe cmpsb
        setne   %al
        ret

        .section .bss
        .balign 4096
pages_512g:
        .skip   4096
pages_1g:
        .skip   4096
        .skip   1 << 20
        .balign 64
stack_end:
        .section .note.GNU-stack, "", @progbits
