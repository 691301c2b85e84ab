/* Arithmetic in registers: mixing, multiplying, dividing, counting bits. */
#include "bench.h"

int main(int argc, char **argv)
{
    uint64_t state = 88172645463325252u, sum = 0;
    uint32_t narrow = 1;
    for (long i = repeats(argc, argv, 16000000); i > 0; i--) {
        uint64_t a = chance(&state);
        sum = (sum << 9 | sum >> 55) ^ a * 0x9e3779b97f4a7c15u;
        narrow = narrow * 1664525u + (uint32_t)(a >> 32);
        if (narrow & 0x40)
            sum += narrow / ((((uint32_t)a & 1023) | 1));
        sum += (narrow >> 3 & 0x1fffffff) ^ (int32_t)narrow >> 7;
    }
    return checksum(sum + narrow);
}
