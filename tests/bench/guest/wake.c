/* Two threads that wake each other by futex in turn. */
#define _GNU_SOURCE
#include "bench.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

static int turn;
static long count;

static void wait_for(int mine)
{
    int now;
    while ((now = __atomic_load_n(&turn, __ATOMIC_ACQUIRE)) != mine)
        syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, now, NULL);
}

static void pass_on(int other)
{
    __atomic_store_n(&turn, other, __ATOMIC_RELEASE);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1);
}

static void *partner(void *unused)
{
    for (long i = 0; i < count; i++) {
        wait_for(1);
        pass_on(0);
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    uint64_t sum = 0;
    count = repeats(argc, argv, 10000);
    if (pthread_create(&thread, NULL, partner, NULL))
        return 1;
    for (long i = 0; i < count; i++) {
        pass_on(1);
        wait_for(0);
        sum += (uint64_t)i;
    }
    pthread_join(thread, NULL);
    return checksum(sum);
}
