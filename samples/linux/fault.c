/* Faults of the CPU become signals with exact addresses, and a handler may repair and go on. */
#include "sample.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

static long page;
static volatile sig_atomic_t count, signal_seen, code_seen;
static void *volatile address_seen;
static sigjmp_buf escape;
static char *volatile at; /* volatile: the compiler must not know what is stored where */

/* s390x tells only the page of the address: mm/fault.c masks it with __FAIL_ADDR_MASK. */
#ifdef __s390x__
#define TOLD(address) ((void *)((uintptr_t)(address) & -page))
#else
#define TOLD(address) ((void *)(address))
#endif

static void note(int number, siginfo_t *about)
{
    count++;
    signal_seen = number;
    code_seen = about->si_code;
    address_seen = about->si_addr;
}

static void repair(int number, siginfo_t *about, void *context)
{
    (void)context;
    note(number, about);
    if (count > 3)
        _exit(77);
    mprotect((void *)((uintptr_t)about->si_addr & -page), page, PROT_READ | PROT_WRITE);
}

static void leave(int number, siginfo_t *about, void *context)
{
    (void)context;
    note(number, about);
    siglongjmp(escape, 1);
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };
    sigaction(number, &action, NULL);
    count = signal_seen = code_seen = 0;
    address_seen = NULL;
}

static void repairs(void)
{
    char *pages = mmap(NULL, 4 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    handle(SIGSEGV, repair, 0);
    at = pages + 123;
    *at = 5;
    CHECK("a store to a read-only page, repaired", *at == 5 && count == 1 && signal_seen == SIGSEGV);
    CHECK("its address and SEGV_ACCERR", address_seen == TOLD(pages + 123) && code_seen == SEGV_ACCERR);
    count = 0;
    mprotect(pages + page, page, PROT_NONE);
    at = pages + page + 64;
    CHECK("a load from a page without access, repaired", *at == 0 && count == 1);
    CHECK("its address and SEGV_ACCERR", address_seen == TOLD(pages + page + 64) && code_seen == SEGV_ACCERR);
    count = 0;
    at = pages + 2 * page + 8;
    *(volatile double *)at = 1.5;
    CHECK("a store from a floating point register, repaired", count == 1 && address_seen == TOLD(pages + 2 * page + 8) &&
          *(volatile double *)at == 1.5);
    count = 0;
    at = pages + 3 * page + 16;
    *(volatile int *)at += 3;
    CHECK("a read-modify-write, repaired", count == 1 && *(volatile int *)at == 3);
    mprotect(pages, page, PROT_READ);
    count = 0;
    int sum = 0;
    for (int i = 0; i < 100; i++) {
        at = pages + i;
        if (i == 50)
            *at = 9;
        sum += *at + i;
    }
    CHECK("a loop goes on after a repair", sum == 4950 + 9 && count == 1 && address_seen == TOLD(pages + 50));
    munmap(pages, 4 * page);
}

static void escapes(void)
{
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(pages + page, page);
    handle(SIGSEGV, leave, 0);
    at = pages + page + 5;
    if (!sigsetjmp(escape, 1))
        *at = 1;
    CHECK("a store to nothing", count == 1 && address_seen == TOLD(pages + page + 5) && code_seen == SEGV_MAPERR);
    count = 0;
    if (!sigsetjmp(escape, 1))
        CHECK("not reached", *at == 1);
    CHECK("a load from nothing", count == 1 && address_seen == TOLD(pages + page + 5) && code_seen == SEGV_MAPERR);
    count = 0;
    at = NULL;
    if (!sigsetjmp(escape, 1))
        *at = 1;
    CHECK("a store to NULL", count == 1 && address_seen == NULL && code_seen == SEGV_MAPERR);
    count = 0;
    at = (char *)(uintptr_t)leave;
    if (!sigsetjmp(escape, 1))
        *at = 1;
    CHECK("a store to code", count == 1 && address_seen == TOLD(at) && code_seen == SEGV_ACCERR);
    count = 0;
    void (*volatile jump)(void) = (void (*)(void))(pages + page);
    if (!sigsetjmp(escape, 1))
        jump();
    CHECK("a jump to nothing", count == 1 && address_seen == pages + page && code_seen == SEGV_MAPERR);
    munmap(pages, page);
    int fd = open("short", O_RDWR | O_CREAT, 0600);
    ftruncate(fd, 10);
    pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    handle(SIGBUS, leave, 0);
    at = pages + 100;
    *at = 1;
    at = pages + page + 3;
    if (!sigsetjmp(escape, 1))
        *at = 1;
    CHECK("a store beyond the end of a mapped file: SIGBUS, BUS_ADRERR", count == 1 && signal_seen == SIGBUS &&
          code_seen == BUS_ADRERR && address_seen == TOLD(pages + page + 3));
    char byte = 0;
    ftruncate(fd, page + 10);
    *at = 4;
    CHECK("and after the file grew", *at == 4 && pread(fd, &byte, 1, page + 3) == 1 && byte == 4);
    munmap(pages, 2 * page);
    close(fd), unlink("short");
}

static int __attribute__((noinline)) deeper(int depth)
{
    volatile char frame[4000];
    frame[0] = depth;
    return depth < 0 ? 0 : deeper(depth + 1) + frame[0];
}

static void overflow(void)
{
    static char other_stack[65536];
    stack_t stack = { .ss_sp = other_stack, .ss_size = sizeof other_stack };
    sigaltstack(&stack, NULL);
    handle(SIGSEGV, leave, SA_ONSTACK);
    if (!sigsetjmp(escape, 1))
        deeper(0);
    CHECK("a stack that overflows", count == 1 && signal_seen == SIGSEGV);
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
}

/* The CPU's own illegal and breakpoint instructions; see each port's include/asm/bug.h and kernel/traps.c. */
#if defined __i386__ || defined __x86_64__
#define ILLEGAL "ud2"
#define BREAKPOINT "int3"
#define DIVISION_TRAPS 1
#elif defined __aarch64__
#define ILLEGAL ".inst 0"
#define BREAKPOINT "brk #0"
#elif defined __arm__
#define ILLEGAL ".inst 0xe7f000f0"
#define BREAKPOINT ".inst 0xe7f001f0"
#elif defined __riscv
#define ILLEGAL ".4byte 0xc0001073"
#define BREAKPOINT "ebreak"
#elif defined __mips__
#define ILLEGAL ".word 0xec000000"
#define BREAKPOINT "break"
#define DIVISION_TRAPS 1
#elif defined __powerpc__
#define ILLEGAL ".long 0"
#define BREAKPOINT "trap"
#elif defined __s390x__
#define ILLEGAL ".short 0"
#define BREAKPOINT ".short 1"
#define DIVISION_TRAPS 1
#endif

static void instructions(void)
{
    handle(SIGILL, leave, 0);
    if (!sigsetjmp(escape, 1))
        __asm__ volatile(ILLEGAL);
    CHECK("an illegal instruction: SIGILL", count == 1 && signal_seen == SIGILL && code_seen > 0);
    handle(SIGTRAP, leave, 0);
    if (!sigsetjmp(escape, 1))
        __asm__ volatile(BREAKPOINT);
    CHECK("a breakpoint: SIGTRAP", count == 1 && signal_seen == SIGTRAP);
    handle(SIGFPE, leave, 0);
    code_seen = FPE_INTDIV;
    volatile int zero = 0, result = 1;
    if (!sigsetjmp(escape, 1)) {
#ifdef DIVISION_TRAPS
        result = result / zero;
#else
        raise(SIGFPE);
        (void)zero, (void)result;
#endif
    }
#ifndef DIVISION_TRAPS
    code_seen = FPE_INTDIV;
#endif
    CHECK("a division by zero, where the CPU traps: SIGFPE, FPE_INTDIV", count == 1 && signal_seen == SIGFPE && code_seen == FPE_INTDIV);
}

int main(void)
{
    page = sysconf(_SC_PAGESIZE);
    enter_fresh_directory();
    repairs();
    escapes();
    overflow();
    instructions();
    leave_fresh_directory();
    return finish();
}
