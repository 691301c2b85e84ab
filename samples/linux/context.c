/* A handler's ucontext_t is the interrupted code: what it reads there was so, and what it writes there becomes so. */
#include "sample.h"
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

/* For each CPU: instructions that load a wide register from IN, set a carry (or a general register) to 1, touch BAD,
 * and store the carry to CARRY and the wide register to OUT; then where a ucontext_t holds the two. */
#if defined __x86_64__
#define WIDE 16
#define RUN asm volatile("movups (%0), %%xmm5\n stc\n movb (%1), %%al\n setc (%2)\n movups %%xmm5, (%3)" \
        :: "r"(in), "r"(bad), "r"(&carry), "r"(out) : "xmm5", "rax", "cc", "memory")
#define WIDE_IN(u) ((char *)(u)->uc_mcontext.fpregs + 160 + 5 * 16)
#define CARRY_IN(u) (u)->uc_mcontext.gregs[REG_EFL]
#define CARRY_BIT 0
#elif defined __i386__
#define WIDE 16
#define RUN asm volatile("movups (%0), %%xmm5\n stc\n movb (%1), %%al\n setc (%2)\n movups %%xmm5, (%3)" \
        :: "S"(in), "d"(bad), "b"(&carry), "D"(out) : "eax", "cc", "memory")
#define WIDE_IN(u) ((char *)(u)->uc_mcontext.fpregs + 112 + 160 + 5 * 16)
#define CARRY_IN(u) (u)->uc_mcontext.gregs[REG_EFL]
#define CARRY_BIT 0
#elif defined __arm__
#define WIDE 8
#define RUN asm volatile("vldr d9, [%0]\n cmp r0, r0\n ldrb r0, [%1]\n mov r0, #0\n adc r0, r0, #0\n strb r0, [%2]\n" \
        " vstr d9, [%3]" :: "r"(in), "r"(bad), "r"(&carry), "r"(out) : "r0", "d9", "cc", "memory")
#define WIDE_IN(u) ((char *)(u)->uc_regspace + 8 + 9 * 8)
#define CARRY_IN(u) (u)->uc_mcontext.arm_cpsr
#define CARRY_BIT 29
#elif defined __aarch64__
#define WIDE 16
#define RUN asm volatile("ldr q20, [%0]\n cmp xzr, xzr\n ldrb w9, [%1]\n cset w9, cs\n strb w9, [%2]\n str q20, [%3]" \
        :: "r"(in), "r"(bad), "r"(&carry), "r"(out) : "x9", "v20", "cc", "memory")
#define WIDE_IN(u) ((char *)(u)->uc_mcontext.__reserved + 16 + 20 * 16)
#define CARRY_IN(u) (u)->uc_mcontext.pstate
#define CARRY_BIT 29
#elif defined __riscv
#define WIDE 8
#define RUN asm volatile("fld f20, (%0)\n li s2, 1\n lb t0, (%1)\n sb s2, (%2)\n fsd f20, (%3)" \
        :: "r"(in), "r"(bad), "r"(&carry), "r"(out) : "s2", "t0", "f20", "memory")
#define WIDE_IN(u) ((char *)&(u)->uc_mcontext.__fpregs + 20 * 8)
#define CARRY_IN(u) (u)->uc_mcontext.__gregs[18]
#define CARRY_BIT 0
#elif defined __mips__
#define WIDE 4
#define RUN asm volatile("lwc1 $f20, (%0)\n li $16, 1\n lb $8, (%1)\n sb $16, (%2)\n swc1 $f20, (%3)" \
        :: "r"(in), "r"(bad), "r"(&carry), "r"(out) : "$16", "$8", "$f20", "memory")
#define WIDE_IN(u) ((char *)&(u)->uc_mcontext.fpregs + 20 * 8 + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0))
#define CARRY_IN(u) (u)->uc_mcontext.gregs[16]
#define CARRY_BIT 0
#elif defined __powerpc__
#define WIDE 16 /* lvx 20,0,9; stvx 20,0,9, for compilers that are not told of AltiVec; the carry is XER's */
#define RUN asm volatile("mr 9, %0\n .long 0x7e8048ce\n li 8, -1\n addic 8, 8, 1\n lbz 8, 0(%1)\n li 8, 0\n" \
        " addze 8, 8\n stb 8, 0(%2)\n mr 9, %3\n .long 0x7e8049ce" \
        :: "b"(in), "b"(bad), "b"(&carry), "b"(out) : "r8", "r9", "xer", "memory")
#ifdef __powerpc64__
#define WIDE_IN(u) ((char *)(u)->uc_mcontext.v_regs->vrregs[20])
#define CARRY_IN(u) (u)->uc_mcontext.gp_regs[37]
#else
#define WIDE_IN(u) ((char *)(u)->uc_mcontext.vrregs.vrregs[20])
#define CARRY_IN(u) (u)->uc_mcontext.gregs[37]
#endif
#define CARRY_BIT 29
#elif defined __s390x__
#define WIDE 8
#define RUN asm volatile("ld %%f8, 0(%0)\n clfi %0, 0\n ic %%r0, 0(%1)\n ipm %%r0\n srl %%r0, 29\n" \
        " stc %%r0, 0(%2)\n std %%f8, 0(%3)" :: "a"(in), "a"(bad), "a"(&carry), "a"(out) : "r0", "f8", "cc", "memory")
#define WIDE_IN(u) ((char *)&(u)->uc_mcontext.fpregs.fprs[8])
#define CARRY_IN(u) (u)->uc_mcontext.psw.mask
#define CARRY_BIT 45
#endif

static _Alignas(16) char in[16] = "a wide register", out[16], seen[16];
static char *bad;
static volatile unsigned char carry;
static volatile int count, carry_seen, change;

static void handler(int number, siginfo_t *about, void *context)
{
    ucontext_t *state = context;
    (void)number;
    if (count++)
        _exit(77);
    mprotect(bad, 4096, PROT_READ);
    memcpy(seen, WIDE_IN(state), WIDE);
    carry_seen = CARRY_IN(state) >> CARRY_BIT & 1;
    if (change) {
        memcpy(WIDE_IN(state), "somewhat changed", WIDE);
        CARRY_IN(state) ^= 1ul << CARRY_BIT;
    }
}

static void run(int changing)
{
    change = changing;
    count = 0;
    carry_seen = 2;
    carry = 3;
    memset(out, 0, 16);
    mprotect(bad, 65536, PROT_NONE);
    RUN;
}

int main(void)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &action, NULL);
    bad = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    run(0);
    CHECK("the context holds a wide register", count == 1 && !memcmp(seen, in, WIDE));
    CHECK("and the carry", carry_seen == 1);
    CHECK("unchanged, both are as before", !memcmp(out, in, WIDE) && carry == 1);
    run(1);
    CHECK("seen once more", count == 1 && !memcmp(seen, in, WIDE) && carry_seen == 1);
    CHECK("a wide register that the handler changed", !memcmp(out, "somewhat changed", WIDE));
    CHECK("a carry that it took back", carry == 0);
    return finish();
}
