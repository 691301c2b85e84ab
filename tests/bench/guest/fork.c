/* A child that ends at once, waited for, again and again. */
#include "bench.h"
#include <sys/wait.h>

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    for (long i = repeats(argc, argv, 1000); i > 0; i--) {
        pid_t child = fork();
        if (child < 0)
            return 1;
        if (child == 0)
            _exit((int)(i & 63));
        int status;
        if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
            return 2;
        sum += WEXITSTATUS(status);
    }
    return checksum(sum);
}
