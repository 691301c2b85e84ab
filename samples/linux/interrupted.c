/* A timer interrupts work that touches ever new pages: no instruction may be lost or done twice. */
#include "sample.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

#define PAGES 3000

static volatile sig_atomic_t count;

static void counting(int number)
{
    (void)number;
    count++;
}

/* Adds along a path through all pages, reading, changing and writing back in each. */
static uint64_t __attribute__((noinline)) walk(unsigned char *at, int rounds, int until)
{
    uint64_t sum = 0, place = 7;
    for (int i = 0; i < rounds * PAGES || (count < until && i < 100 * rounds * PAGES); i++) {
        uint32_t *cell = (uint32_t *)(at + place * 4096 + (place & 63) * 8);
        if (i < rounds * PAGES) {
            cell[0] += (uint32_t)i;
            cell[1] ^= cell[0] + (uint32_t)sum;
            sum = sum * 3 + cell[1];
        } else
            sum += cell[0] & 0;
        place = (place * 1103 + 12345) % PAGES;
    }
    return sum;
}

static uint64_t run(int microseconds, int until)
{
    struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };
    unsigned char *at = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    count = 0;
    setitimer(ITIMER_REAL, &timer, NULL);
    uint64_t sum = walk(at, 20, until);
    timer = (struct itimerval){ { 0, 0 }, { 0, 0 } };
    setitimer(ITIMER_REAL, &timer, NULL);
    munmap(at, PAGES * 4096);
    return sum;
}

/* A ring of pointers followed and a counter in memory counted up, many signals long: each step exactly once.
 * "p = *p" and "add 1 to memory" are one instruction on many CPUs, and done twice they are wrong. */
static void count_steps(void)
{
    static void *volatile ring[64];
    static volatile uint32_t counter;
    struct itimerval timer = { { 0, 1000 }, { 0, 1000 } };
    uint32_t steps = 0;
    void *volatile *at = ring;
    for (int i = 0; i < 64; i++)
        ring[i] = (void *)&ring[(i + 37) % 64];
    count = 0;
    setitimer(ITIMER_REAL, &timer, NULL);
    while (count < 100) {
        for (int i = 0; i < 1000; i++) {
            at = *at;
            counter++;
        }
        steps += 1000;
    }
    timer = (struct itimerval){ { 0, 0 }, { 0, 0 } };
    setitimer(ITIMER_REAL, &timer, NULL);
    CHECK("a counter in memory counts each step", counter == steps);
    CHECK("a chain of pointers is followed step by step", at == &ring[steps * 37ull % 64]);
}

int main(void)
{
    struct sigaction action = { .sa_handler = counting };
    sigaction(SIGALRM, &action, NULL);
    uint64_t calm = run(0, 0);
    say("undisturbed %Lx", calm);
    for (int i = 0; i < 3; i++)
        CHECK("the same result when interrupted", run(1000, 5) == calm);
    count_steps();
    return finish();
}
