/* Memory moved, filled, searched, in blocks from 16 bytes to 4 MiB. */
#include "bench.h"

int main(int argc, char **argv)
{
    size_t size = 4 << 20;
    unsigned char *one = malloc(size), *two = malloc(size);
    uint64_t sum = 0, state = 9;
    memset(one, 1, size);
    for (long round = repeats(argc, argv, 40); round > 0; round--) {
        memcpy(two, one, size);
        memmove(two + 5, two, size - 5);
        memset(one + size / 2, (int)round, size / 2);
        for (int i = 0; i < 20000; i++) {
            size_t from = chance(&state) % (size - 4096), to = chance(&state) % (size - 4096), length = 16 << i % 6;
            memcpy(one + to, two + from, length);
            sum += one[to + 3] + (memcmp(one + to, two + from, length) == 0);
        }
        for (size_t i = 0; i < size; i += 64)
            sum += one[i] + two[i + 7];
    }
    return checksum(sum);
}
