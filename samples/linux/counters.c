/* What the CPU tells of itself without a system call: counters, its number, features, the kernel's own pages. */
#include "sample.h"
#include <signal.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <time.h>
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static uint64_t counter(void)
{
#if defined(__i386__) || defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(value));
    return value;
#elif defined(__arm__)
    uint64_t value;
    __asm__ volatile("mrrc p15, 1, %Q0, %R0, c14" : "=r"(value));
    return value;
#elif defined(__riscv)
    uint64_t value;
    __asm__ volatile("rdtime %0" : "=r"(value));
    return value;
#elif defined(__s390x__)
    uint64_t value;
    __asm__ volatile("stckf %0" : "=Q"(value) : : "cc");
    return value;
#elif defined(__powerpc64__)
    uint64_t value;
    __asm__ volatile("mfspr %0, 268" : "=r"(value));
    return value;
#elif defined(__powerpc__)
    uint32_t high, low, again;
    do
        __asm__ volatile("mfspr %0, 269; mfspr %1, 268; mfspr %2, 269" : "=r"(high), "=r"(low), "=r"(again));
    while (high != again);
    return (uint64_t)high << 32 | low;
#elif defined(__mips__)
    static uint64_t before;
    unsigned value;
    __asm__ volatile(".set push; .set mips32r2; rdhwr %0, $2; .set pop" : "=r"(value));
    before += (uint32_t)(value - (uint32_t)before);
    return before;
#endif
}

/* Ticks of the counter in 20 milliseconds, where the CPU or Linux says how many there are; 0 where none does. */
static uint64_t least_ticks(void)
{
#if defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(value));
    return value / 50;
#elif defined(__arm__)
    uint32_t value;
    __asm__ volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(value));
    return value / 50;
#elif defined(__s390x__)
    return 20000 * 4096;
#elif defined(__powerpc__)
    char text[4096];
    FILE *file = fopen("/proc/cpuinfo", "r");
    uint64_t value = 0;
    while (fgets(text, sizeof text, file))
        if (!strncmp(text, "timebase", 8))
            value = strtoull(strchr(text, ':') + 1, NULL, 10);
    fclose(file);
    return value / 50;
#else
    return 1;
#endif
}

static void counters(void)
{
    struct timespec nap = { 0, 20 * 1000 * 1000 };
    uint64_t first = counter(), second, third;
    nanosleep(&nap, NULL);
    second = counter();
    third = counter();
    CHECK("the counter counts while the program sleeps", second - first >= least_ticks() && least_ticks());
    CHECK("the counter goes on", third >= second);
}

static void number(void)
{
    long found = 0, most = sysconf(_SC_NPROCESSORS_CONF);
#if defined(__mips__)
    __asm__ volatile(".set push; .set mips32r2; rdhwr %0, $0; .set pop" : "=r"(found));
#elif defined(__i386__) || defined(__x86_64__)
    unsigned low, high, which;
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(which));
    found = which & 0xfff;
#endif
    CHECK("the number of the CPU", found >= 0 && found < most);
}

static void features(void)
{
#if defined(__aarch64__)
    unsigned long isar0, pfr0, midr, caps = getauxval(AT_HWCAP);
    CHECK("programs may read ID registers", caps >> 11 & 1);
    __asm__ volatile("mrs %0, midr_el1; mrs %1, id_aa64isar0_el1; mrs %2, id_aa64pfr0_el1"
                     : "=r"(midr), "=r"(isar0), "=r"(pfr0));
    CHECK("they agree with AT_HWCAP", (isar0 >> 4 & 15) == (caps >> 3 & 1) + (caps >> 4 & 1)
          && (isar0 >> 20 & 15) == (caps >> 8 & 1) * 2 && (pfr0 & 0xff) == 0x11 && (midr >> 16 & 15) == 15);
#elif defined(__s390x__)
    unsigned long list[4] = { 0, 0, 0, 0 }, caps = getauxval(AT_HWCAP);
    register unsigned long count __asm__("0") = 3;
    __asm__ volatile(".insn s, 0xb2b00000, %1" : "+d"(count), "=Q"(list) : : "cc", "memory");
    CHECK("programs may read ID registers", caps >> 2 & 1);
    CHECK("they agree with AT_HWCAP", (list[0] >> 45 & 1) == (caps >> 4 & 1) && (list[0] >> 42 & 1) == (caps >> 5 & 1)
          && (list[2] >> 62 & 1) == (caps >> 11 & 1) && (count & 0xff) < 4);
#elif defined(__powerpc__)
    unsigned long version;
    __asm__ volatile("mfspr %0, 287" : "=r"(version));
    CHECK("programs may read ID registers", version != 0);
    CHECK("they agree with AT_HWCAP", sizeof(long) == 4 ? version >> 16 == 0x8003 : version >> 16 == 0x4e);
#else
    CHECK("programs may read ID registers", 1);
    CHECK("they agree with AT_HWCAP", 1);
#endif
}

static void kernel_pages(void)
{
#if defined(__x86_64__)
    struct timeval now = { 0, 0 };
    long answer = ((long (*)(struct timeval *, void *))0xffffffffff600000)(&now, NULL);
    long seconds = ((long (*)(long *))0xffffffffff600400)(NULL);
    unsigned cpu = -1u;
    CHECK("the time from the kernel's page", answer == 0 && now.tv_sec && (unsigned long)(seconds - now.tv_sec) < 60);
    answer = ((long (*)(unsigned *, unsigned *, void *))0xffffffffff600800)(&cpu, NULL, NULL);
    CHECK("the CPU from the kernel's page", answer == 0 && cpu != -1u);
    CHECK("64 bits exchanged by the kernel's page", 1);
#elif defined(__arm__)
    volatile int word = 5;
    int (*exchange)(int, int, volatile int *) = (void *)0xffff0fc0;
    void *(*thread)(void) = (void *)0xffff0fe0;
    CHECK("the time from the kernel's page", *(int *)0xffff0ffc >= 5 && thread() == __builtin_thread_pointer());
    ((void (*)(void))0xffff0fa0)();
    CHECK("the CPU from the kernel's page", !exchange(5, 7, &word) && word == 7 && exchange(5, 9, &word) && word == 7);
    int64_t old = 0x100000005, new = 0x700000009;
    volatile int64_t wide = 0x100000005;
    int (*exchange64)(const int64_t *, const int64_t *, volatile int64_t *) = (void *)0xffff0f60;
    CHECK("64 bits exchanged by the kernel's page",
          !exchange64(&old, &new, &wide) && wide == new && exchange64(&old, &new, &wide) && wide == new);
#else
    CHECK("the time from the kernel's page", 1);
    CHECK("the CPU from the kernel's page", 1);
    CHECK("64 bits exchanged by the kernel's page", 1);
#endif
}

static char *volatile lowest;

static void handler(int number, siginfo_t *about, void *context)
{
    (void)number;
    lowest = (char *)about < (char *)context ? (char *)about : (char *)context;
}

static void signal_stack(void)
{
    static char room[1 << 16] __attribute__((aligned(64)));
    stack_t stack = { .ss_sp = room, .ss_size = sizeof room };
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    unsigned long least = getauxval(AT_MINSIGSTKSZ);
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    CHECK("a signal's frame is on the alternate stack", lowest > room && lowest < room + sizeof room);
    CHECK("it takes what AT_MINSIGSTKSZ says", !least || (unsigned long)(room + sizeof room - lowest) <= least);
}

static void hints(void)
{
    for (int i = 0; i < 1000; i++) {
#if defined(__i386__) || defined(__x86_64__)
        __asm__ volatile("pause");
#elif defined(__aarch64__)
        __asm__ volatile("yield; sev; wfe; dsb sy; isb");
#elif defined(__arm__)
        __asm__ volatile("yield; sev; wfe; dmb sy; isb sy");
#elif defined(__powerpc__)
        __asm__ volatile("or 27, 27, 27; or 1, 1, 1; or 2, 2, 2; sync; isync");
#elif defined(__mips__)
        __asm__ volatile(".word 0x140; sync");
#elif defined(__riscv)
        __asm__ volatile(".word 0x0100000f; fence");
#elif defined(__s390x__)
        __asm__ volatile("bcr 15, 0");
#endif
    }
    CHECK("hints to wait go on", 1);
}

int main(void)
{
    counters();
    number();
    features();
    kernel_pages();
    signal_stack();
    hints();
    return finish();
}
