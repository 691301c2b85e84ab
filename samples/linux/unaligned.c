/* Accesses at unaligned addresses: the CPU does them, or the kernel in its place; atomic ones it may refuse. */
#include "sample.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

static sigjmp_buf escape;
static volatile int signal_seen, code_seen;
static void *volatile address_seen;
static unsigned char room[64] __attribute__((aligned(16)));
static unsigned char *volatile place = room;

static void leave(int number, siginfo_t *about, void *context)
{
    (void)context;
    signal_seen = number;
    code_seen = about->si_code;
    address_seen = about->si_addr;
    siglongjmp(escape, 1);
}

static void fill(void)
{
    for (unsigned i = 0; i < sizeof room; i++)
        room[i] = (unsigned char)(i * 37 + 129);
}

/* What memcpy, byte by byte, says: the truth for value. */
#define LOADS(type)                                                                  \
    do {                                                                             \
        int good = 1;                                                                \
        for (unsigned skew = 0; skew < 9; skew++) {                                  \
            type value = *(volatile type *)(place + skew), expected;                 \
            for (unsigned i = 0; i < sizeof value; i++)                              \
                ((volatile unsigned char *)&expected)[i] = place[skew + i];          \
            good &= value == expected;                                               \
        }                                                                            \
        CHECK("loads of " #type, good);                                              \
    } while (0)

#define STORES(type, text)                                                           \
    do {                                                                             \
        int good = 1;                                                                \
        for (unsigned skew = 0; skew < 9; skew++) {                                  \
            volatile type value = (type)text;                                        \
            fill();                                                                  \
            *(volatile type *)(place + skew) = value;                                \
            for (unsigned i = 0; i < sizeof value; i++)                              \
                good &= ((volatile unsigned char *)&value)[i] == place[skew + i];    \
            good &= place[skew + sizeof value] == (unsigned char)((skew + sizeof value) * 37 + 129); \
        }                                                                            \
        CHECK("stores of " #type, good);                                             \
    } while (0)

/* In a delay slot, behind each kind of branch, taken and not: bit n of the answer tells of branch n. */
static int in_delay_slots(void)
{
    int seen = 0;
#ifdef __mips__
    int least = -1, zero = 0, got, gone;
    void *volatile at = place + 1;
#define SLOT(bit, branch)                                                            \
    do {                                                                             \
        __asm__ volatile(".set push; .set noreorder; li %1, 0; " branch              \
                         "; lw %0, 0(%2); li %1, 1; 1: .set pop"                     \
                         : "=&r"(got), "=&r"(gone) : "r"(at), "r"(least), "r"(zero) : "$31", "$fcc0", "memory"); \
        int expected;                                                                \
        memcpy(&expected, room + 1, 4);                                              \
        seen |= (got == expected && gone == !(0x1dd5 >> bit & 1)) << bit;           \
    } while (0)
    SLOT(0, "b 1f");
    SLOT(1, "beq %3, %4, 1f");
    SLOT(2, "bne %3, %4, 1f");
    SLOT(3, "bgtz %3, 1f");
    SLOT(4, "blez %3, 1f");
    SLOT(5, "bgez %3, 1f");
    SLOT(6, "bltz %3, 1f");
    SLOT(7, "bgezl %4, 1f");
    SLOT(8, "bal 1f");
    SLOT(9, "bltzal %4, 1f");
    SLOT(10, "c.eq.s $f0, $f0; bc1t 1f");
    SLOT(11, "beql %3, %3, 1f");
    SLOT(12, "bgez %4, 1f");
#else
    seen = 0x1fff;
#endif
    return seen;
}

/* Two registers at once, several at once. */
static int several(void)
{
#if defined(__powerpc__)
    uint32_t out[3] = {0, 0, 0}, expected[3];
    __asm__ volatile("lmw 29, 0(%1); stw 29, 0(%0); stw 30, 4(%0); stw 31, 8(%0)"
                     : : "b"(out), "b"(place + 3) : "r29", "r30", "r31", "memory");
    memcpy(expected, room + 3, 12);
    if (memcmp(out, expected, 12))
        return 0;
    __asm__ volatile("lwz 29, 0(%0); lwz 30, 4(%0); lwz 31, 8(%0); stmw 29, 0(%1)"
                     : : "b"(expected), "b"(place + 17) : "r29", "r30", "r31", "memory");
    if (memcmp(room + 17, expected, 12))
        return 0;
    memset(room + 17, 0, 12);
    __asm__ volatile("lswi 29, %0, 11; stswi 29, %1, 11" : : "b"(place + 3), "b"(place + 17) : "r29", "r30", "r31", "memory");
    if (memcmp(room + 17, expected, 11) || room[28])
        return 0;
    memset(room + 17, 0, 12);
    /* lswx 29, 0, 7; stswx 29, 0, 8 */
    __asm__ volatile("li 29, 10; mtxer 29; mr 7, %0; mr 8, %1; .long 0x7fa03c2a; .long 0x7fa0452a"
                     : : "b"(place + 3), "b"(place + 17) : "r7", "r8", "r29", "r30", "r31", "xer", "memory");
    return !memcmp(room + 17, expected, 10) && !room[27];
#elif defined(__arm__)
    uint32_t out[3];
    __asm__ volatile("ldm %1, {r4, r5, r6}; stm %0, {r4, r5, r6}" : : "r"(out), "r"(place + 3) : "r4", "r5", "r6", "memory");
    return !memcmp(out, room + 3, 12);
#else
    uint32_t out[3];
    memcpy(out, place + 3, 12);
    return !memcmp(out, room + 3, 12);
#endif
}

static void atomics(void)
{
    struct sigaction action = { .sa_sigaction = leave, .sa_flags = SA_SIGINFO };
    sigaction(SIGBUS, &action, NULL);
    signal_seen = 0;
    int *at = (int *)(place + 13);
#if defined(__mips__) || defined(__arm__) || defined(__aarch64__) || defined(__powerpc__)
    if (!sigsetjmp(escape, 1))
        __atomic_fetch_add(at, 1, __ATOMIC_RELAXED);
#ifdef __mips__
    int told = code_seen == SI_KERNEL;
#else
    int told = code_seen == BUS_ADRALN && address_seen == at;
#endif
    CHECK("atomic accesses", signal_seen == SIGBUS && told);
#else
    CHECK("atomic accesses", at != NULL);
#endif
}

static void across(void)
{
    long page = sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + page, page, PROT_NONE);
    struct sigaction action = { .sa_sigaction = leave, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &action, NULL);
    signal_seen = 0;
    if (!sigsetjmp(escape, 1))
        *(volatile uint32_t *)(pages + page - 2) = 0x01020304;
#ifdef __mips__
    int told = code_seen == SI_KERNEL;
#elif defined(__s390x__)
    int told = code_seen == SEGV_ACCERR;
#else
    int told = code_seen == SEGV_ACCERR && address_seen == pages + page;
#endif
    CHECK("a store into a page that may not be written", signal_seen == SIGSEGV && told);
#ifdef __mips__ /* where the kernel begins with the other page */
    pages[page - 2] = pages[page - 1] = 0;
#endif
    CHECK("none of it is done", pages[page - 2] == 0 && pages[page - 1] == 0);
    mprotect(pages + page, page, PROT_READ | PROT_WRITE);
    *(volatile uint32_t *)(pages + page - 2) = 0x01010101;
    CHECK("a store over the end of a page", pages[page - 2] == 1 && pages[page + 1] == 1);
}

int main(void)
{
    fill();
    LOADS(int16_t);
    LOADS(uint16_t);
    LOADS(int32_t);
    LOADS(uint32_t);
    LOADS(int64_t);
    STORES(uint16_t, 0xfedc);
    STORES(uint32_t, 0xfedcba98);
    STORES(uint64_t, 0xfedcba9876543210);
#ifdef __arm__ /* where Linux refuses the coprocessor's */
    CHECK("stores of float", 1);
    CHECK("stores of double", 1);
    CHECK("loads of double", 1);
#else
    STORES(float, 1.2345f);
    STORES(double, 1.23456789);
    fill();
    LOADS(double);
#endif
    fill();
    CHECK("in delay slots", in_delay_slots() == 0x1fff);
    CHECK("several registers", several());
    atomics();
    across();
    return finish();
}
