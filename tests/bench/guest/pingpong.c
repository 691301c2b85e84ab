/* Two processes that hand a byte to and fro through two pipes. */
#include "bench.h"

int main(int argc, char **argv)
{
    long count = repeats(argc, argv, 10000);
    int to[2], fro[2];
    unsigned char ball = 0;
    if (pipe(to) || pipe(fro))
        return 1;
    pid_t child = fork();
    if (child < 0)
        return 2;
    if (child == 0) {
        for (long i = 0; i < count && read(to[0], &ball, 1) == 1; i++) {
            ball++;
            if (write(fro[1], &ball, 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    uint64_t sum = 0;
    for (long i = 0; i < count; i++) {
        if (write(to[1], &ball, 1) != 1 || read(fro[0], &ball, 1) != 1)
            return 3;
        sum += ball;
    }
    return checksum(sum);
}
