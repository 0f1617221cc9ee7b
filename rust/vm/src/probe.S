/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The boot sector in accel.rs, which does what a kernel does first: page tables,
   long mode, cpuid; then it says so at the port of isa-debug-exit.
     as --64 probe.S -o probe.o && objcopy -O binary -j .text probe.o probe.bin */
.code16
.org 0
start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    cld
    movl $0x1000, %edi
    movl %edi, %cr3
    xorl %eax, %eax
    movw $0xc00, %cx
    rep stosl
    movw $0x2003, 0x1000
    movw $0x3003, 0x2000
    movw $0x0083, 0x3000
    movl %cr4, %eax
    orb $0x20, %al
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    rdmsr
    orb $1, %ah
    wrmsr
    movl %cr0, %eax
    orl $0x80000001, %eax
    movl %eax, %cr0
    lgdtw gdtr - start + 0x7c00
    ljmpw $8, $(long - start + 0x7c00)
.code64
long:
    xorl %eax, %eax
    cpuid
    movb $0x10, %al
    outb %al, $0xf4
stay:
    hlt
    jmp stay
.align 8
gdt:
    .quad 0
    .quad 0x00209a0000000000
gdtr:
    .word 15
    .long gdt - start + 0x7c00
