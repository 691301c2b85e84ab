/* Code written at run time: made executable, changed, changed again, also where it is writable meanwhile. */
#include "sample.h"
#include <sys/mman.h>
#include <sys/syscall.h>

/* "return number;" in the CPU's own words. */
static size_t write_code(void *at, int number)
{
#if defined __i386__ || defined __x86_64__
    unsigned char code[] = { 0xb8, number & 255, number >> 8, 0, 0, 0xc3 };
#elif defined __aarch64__
    uint32_t code[] = { 0x52800000u | number << 5, 0xd65f03c0u };
#elif defined __arm__
    uint32_t code[] = { 0xe3a00000u | (number & 255), 0xe2800c00u | number >> 8, 0xe12fff1eu };
#elif defined __riscv
    uint32_t code[] = { (uint32_t)number << 20 | 0x513, 0x8067 };
#elif defined __mips__
    uint32_t code[] = { 0x03e00008, 0x24020000u | number };
#elif defined __powerpc__
    uint32_t code[] = { 0x38600000u | number, 0x4e800020 };
#elif defined __s390x__
    uint16_t code[] = { 0xa729, number, 0x07fe };
#endif
    memcpy(at, code, sizeof code);
#ifdef __mips__
    syscall(SYS_cacheflush, at, sizeof code, 3); /* both caches, <asm/cachectl.h>; zig has no __clear_cache here */
#elif defined __powerpc__ /* PowerISA Book II, 1.8: store, invalidate, forget what was fetched */
    for (char *line = at; line < (char *)at + sizeof code; line += 4)
        __asm__ volatile("dcbst 0,%0\n\tsync\n\ticbi 0,%0" : : "r"(line) : "memory");
    __asm__ volatile("sync\n\tisync" : : : "memory");
#elif defined __s390x__
    __asm__ volatile("bcr 15,0" : : : "memory"); /* its fetches see its stores, after a serialization */
#else
    __builtin___clear_cache((char *)at, (char *)at + sizeof code);
#endif
    return sizeof code;
}

static int call(void *at)
{
    int (*volatile function)(void) = (int (*)(void))at;
    return function();
}

/* As programs do that compile for themselves where no page may be both writable and executable. */
static void twice_mapped(long page)
{
    int right = 0, fd = syscall(SYS_memfd_create, "code", 1);
    CHECK("a file in memory", fd >= 0 && ftruncate(fd, 4 * page) == 0);
    char *writable = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *executable = mmap(NULL, 4 * page, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    for (int i = 0; i < 200; i++) {
        write_code(writable + page + 64, i);
        right += call(executable + page + 64) == i;
    }
    CHECK("written through another mapping", right == 200);
    char *part = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, page);
    write_code(part + 64, 1000);
    CHECK("through a mapping of a part", call(executable + page + 64) == 1000);
    CHECK("one of them gone", munmap(writable, 4 * page) == 0 && call(executable + page + 64) == 1000);
    write_code(part + 64, 1001);
    CHECK("changed after that", call(executable + page + 64) == 1001);
    CHECK("all gone", munmap(executable, 4 * page) == 0 && part[page - 1] == 0 && munmap(part, page) == 0 && close(fd) == 0);
}

int main(void)
{
    long page = sysconf(_SC_PAGESIZE), sum = 0, wrong = 0;
    char *at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    write_code(at, 7);
    CHECK("made executable", mprotect(at, page, PROT_READ | PROT_EXEC) == 0 && call(at) == 7);
    mprotect(at, page, PROT_READ | PROT_WRITE);
    write_code(at, 8);
    mprotect(at, page, PROT_READ | PROT_EXEC);
    CHECK("changed in between", call(at) == 8);
    CHECK("writable and executable", mprotect(at, 2 * page, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
    for (int i = 0; i < 1000; i++) {
        write_code(at + 64, i);
        sum += call(at + 64);
    }
    CHECK("changed a thousand times", sum == 499500);
    for (int i = 0; i < 60; i++)
        write_code(at + 32 * i, i + 100);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 60; i++) {
            wrong += call(at + 32 * i) != i + 100 + round * (i % 7 == 0);
            if (i % 7 == 0)
                write_code(at + 32 * i, i + 101 + round);
        }
    CHECK("some of many functions in a page", wrong == 0);
    char *across = at + page - 4;
    write_code(across, 11);
    CHECK("code across two pages", call(across) == 11);
    write_code(across, 12);
    CHECK("changed there", call(across) == 12);
    munmap(at, 2 * page);
    char *again = mmap(at, page, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    write_code(again, 9);
    CHECK("new code where old code was unmapped", again == at && call(again) == 9);
    twice_mapped(page);
    return finish();
}
