/* Small functions in machine code, for the world of bytes: D is WORLD_DATA. Arguments come in rdi, rsi ...; of functions that
 * visit, rdi is the subject and rsi the visitor. Fields of a subject: 8 the type, 0x10 to 0x28 pointers, 0x30 an int. */
#ifndef TESTS_EMULATE_CODE_H
#define TESTS_EMULATE_CODE_H

__asm__(".pushsection .rodata\n"
        ".set D, 0x10100000\n"
        ".globl emulated_code\n"
        ".balign 4096\n"
        "emulated_code:\n"
#define FUNCTION(name) #name "_code:\n"
        FUNCTION(sum_of_six) "lea (%rdi,%rsi), %rax\n add %rdx, %rax\n add %rcx, %rax\n add %r8, %rax\n add %r9, %rax\n ret\n"
        FUNCTION(nested) "push %rbp\n mov %rsp, %rbp\n sub $32, %rsp\n mov %rdi, -8(%rbp)\n inc %rdi\n call double_code\n"
                         "add -8(%rbp), %rax\n leave\n ret\n"
        FUNCTION(double) "lea (%rdi,%rdi), %rax\n ret\n"
        FUNCTION(through_slot) "endbr64\n jmp *D+0x100\n"
        FUNCTION(call_slot) "sub $8, %rsp\n call through_slot_code\n add $8, %rsp\n add $1, %rax\n ret\n"
        FUNCTION(read) "mov (%rdi), %rax\n ret\n"
        FUNCTION(write) "mov %rsi, (%rdi)\n ret\n"
        FUNCTION(go) "jmp *%rdi\n"
        FUNCTION(call) "sub $8, %rsp\n mov %rdi, %rax\n mov %rsi, %rdi\n call *%rax\n add $8, %rsp\n ret\n"
        FUNCTION(system_call) "mov $39, %eax\n syscall\n ret\n"
        FUNCTION(undefined) "ud2\n ret\n"
        FUNCTION(divide) "mov %rdi, %rax\n cqo\n idiv %rsi\n ret\n"
        FUNCTION(forever) "1: jmp 1b\n"
        FUNCTION(forever_repeating) "1: lea D, %rdi\n mov $64, %ecx\n xor %eax, %eax\n rep stosq\n jmp 1b\n"
        FUNCTION(recursion) "push %rbp\n call recursion_code\n pop %rbp\n ret\n"
        FUNCTION(pushes) "1: push %rax\n jmp 1b\n"
        FUNCTION(below_the_stack) "sub $0x1000000, %rsp\n mov %rax, (%rsp)\n ret\n"
        FUNCTION(writes_pages) "1: mov %rsi, (%rdi)\n add $4096, %rdi\n dec %rsi\n jnz 1b\n mov $7, %eax\n ret\n"
        FUNCTION(visits_forever) "push %rbx\n push %r12\n push %r13\n mov %rdi, %rbx\n mov %rsi, %r12\n"
                                 "1: mov %rbx, %rdi\n call *%r12\n jmp 1b\n"
        FUNCTION(increments) "mov D, %rax\n inc %rax\n mov %rax, D\n ret\n"
        FUNCTION(increments_at) "incq (%rdi)\n mov (%rdi), %rax\n ret\n"
        FUNCTION(canary) "mov %fs:0x28, %rax\n ret\n"
        FUNCTION(thread_pointer) "mov %fs:0, %rax\n mov 8(%rax), %rax\n ret\n"
        FUNCTION(field) "mov 0x10(%rdi), %rax\n ret\n"
        FUNCTION(field_and_one) "mov 0x10(%rdi), %rax\n add $1, %rax\n ret\n"
        FUNCTION(zero) "xor %eax, %eax\n ret\n"
        FUNCTION(stops) "sub $8, %rsp\n mov 0x18(%rdi), %rdi\n call double_code\n add $8, %rsp\n ret\n"
#define ENTER "push %rbx\n push %r12\n push %r13\n mov %rdi, %rbx\n mov %rsi, %r12\n"
#define LEAVE "xor %eax, %eax\n pop %r13\n pop %r12\n pop %rbx\n ret\n"
#define VISIT "call *%r12\n"
        FUNCTION(origins) ENTER "mov 0x10(%rbx), %rdi\n" VISIT                                       /* 0 field */
        "mov %rbx, %rdi\n" VISIT                                                                     /* 1 subject */
        "lea 0x20(%rbx), %rdi\n" VISIT                                                               /* 2 */
        "mov 0x10(%rbx), %rax\n mov 8(%rax), %rdi\n" VISIT                                           /* 3 via */
        "mov 0x18(%rbx), %rax\n mov (%rax), %rax\n mov (%rax), %rdi\n" VISIT                         /* 4 */
        "mov 0x18(%rbx), %rdi\n add $8, %rdi\n" VISIT                                                /* 5 */
        "mov 0x30(%rbx), %eax\n mov 0x10(%rbx,%rax,8), %rdi\n" VISIT                                 /* 6 within */
        "mov D, %rdi\n" VISIT                                                                        /* 7 constant */
        "mov 8(%rbx), %rdi\n" VISIT                                                                  /* 8 */
        "mov 8(%rbx), %rax\n mov 0x18(%rax), %rdi\n" VISIT                                           /* 9 */
        "push 0x10(%rbx)\n pop %rdi\n" VISIT                                                         /* 10 field */
        "movq 0x10(%rbx), %xmm0\n movq %xmm0, %rdi\n" VISIT                                          /* 11 */
        "movdqu 0x10(%rbx), %xmm1\n movups %xmm1, -32(%rsp)\n mov -24(%rsp), %rdi\n" VISIT           /* 12 */
        "mov 0x10(%rbx), %edi\n" VISIT                                                               /* 13 via */
        "movq 0x10(%rbx), %xmm0\n movhps 0x18(%rbx), %xmm0\n movhlps %xmm0, %xmm2\n movq %xmm2, %rdi\n" VISIT /* 14 */
        "mov $0x18, %ecx\n mov (%rbx,%rcx), %rdi\n" VISIT                                            /* 15 field */
        "mov 0x10(%rbx), %rdi\n xchg %rdi, %r13\n mov %r13, %rdi\n" VISIT                            /* 16 */
        LEAVE
        FUNCTION(null_test) ENTER "mov 0x28(%rbx), %rdi\n test %rdi, %rdi\n je 1f\n" VISIT "1: " LEAVE
        FUNCTION(null_compare) ENTER "cmpq $0, 0x28(%rbx)\n je 1f\n mov 0x28(%rbx), %rdi\n" VISIT "1: " LEAVE
        FUNCTION(null_compare_register) ENTER "xor %eax, %eax\n mov 0x28(%rbx), %rdi\n cmp %rax, %rdi\n je 1f\n" VISIT "1: " LEAVE
        FUNCTION(null_or) ENTER "mov 0x28(%rbx), %rdi\n or %rdi, %rdi\n je 1f\n" VISIT "1: " LEAVE
        FUNCTION(result_test) ENTER "mov 0x10(%rbx), %rdi\n" VISIT "test %eax, %eax\n jne 1f\n mov 0x18(%rbx), %rdi\n" VISIT
        "1: " LEAVE
        FUNCTION(constant_loop) ENTER "xor %r13d, %r13d\n 1: mov 0x10(%rbx,%r13,8), %rdi\n" VISIT
        "inc %r13\n cmp $3, %r13\n jne 1b\n" LEAVE
        FUNCTION(type_branch) ENTER "mov 8(%rbx), %rax\n testb $1, 0x10(%rax)\n je 1f\n mov 0x10(%rbx), %rdi\n" VISIT "1: " LEAVE
        FUNCTION(tag_branch) ENTER "cmpl $1, 0x30(%rbx)\n jne 1f\n mov 0x10(%rbx), %rdi\n" VISIT "1: " LEAVE
        FUNCTION(tag_set) ENTER "cmpl $1, 0x30(%rbx)\n sete %al\n test %al, %al\n je 1f\n mov 0x10(%rbx), %rdi\n" VISIT "1: " LEAVE
        FUNCTION(tag_cmov) ENTER "mov 0x10(%rbx), %rdi\n cmpl $1, 0x30(%rbx)\n cmove 0x18(%rbx), %rdi\n" VISIT LEAVE
        FUNCTION(via_branch) ENTER "mov 0x10(%rbx), %rax\n cmpq $0, 8(%rax)\n je 1f\n mov 0x18(%rbx), %rdi\n" VISIT "1: " LEAVE
        FUNCTION(low_bit_branch) ENTER "testb $1, 0x10(%rbx)\n jne 1f\n mov 0x18(%rbx), %rdi\n" VISIT "1: " LEAVE
        FUNCTION(sign_branch) ENTER "mov 0x10(%rbx), %rdi\n test %rdi, %rdi\n js 1f\n" VISIT "1: " LEAVE
        FUNCTION(unlike_branch) ENTER "mov 0x10(%rbx), %rdi\n cmp 0x18(%rbx), %rdi\n je 1f\n" VISIT "1: " LEAVE
        FUNCTION(tag_jump) ENTER "mov 0x30(%rbx), %eax\n jmp *D+0x108(,%rax,8)\n"
        FUNCTION(tag_jump_end) LEAVE
        FUNCTION(tag_write) "mov 0x30(%rdi), %eax\n movq $1, D+0x800(,%rax,8)\n xor %eax, %eax\n ret\n"
        FUNCTION(carry_branch) ENTER "mov 0x30(%rbx), %eax\n add $-1, %eax\n adc $0, %eax\n jne 1f\n mov 0x10(%rbx), %rdi\n" VISIT "1: " LEAVE
        "emulated_code_end:\n"
        ".popsection\n");
#undef FUNCTION

extern const unsigned char emulated_code[], emulated_code_end[] __asm__("emulated_code_end");

/* Where a function is in the world. */
#define CODE(name)                                       \
    __extension__({                                      \
        extern const unsigned char name##_code[];        \
        WORLD_CODE + (uint64_t)(name##_code - emulated_code); \
    })

#endif
