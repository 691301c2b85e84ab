/* A system call that does nothing, again and again. */
#define _GNU_SOURCE
#include "bench.h"
#include <sys/syscall.h>

int main(int argc, char **argv)
{
    uint64_t same = 0;
    long first = syscall(SYS_getppid);
    for (long i = repeats(argc, argv, 100000); i > 0; i--)
        same += syscall(SYS_getppid) == first;
    return checksum(same);
}
