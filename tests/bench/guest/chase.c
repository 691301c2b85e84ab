/* A list of 8 MiB in a random order followed, where each load waits for the one before. */
#include "bench.h"

struct node {
    struct node *next;
    uint64_t value;
};

int main(int argc, char **argv)
{
    long count = 8 << 20 >> 4;
    struct node *nodes = malloc(count * sizeof *nodes), *at;
    uint32_t *order = malloc(count * sizeof *order);
    uint64_t state = 3, sum = 0;
    for (long i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (long i = count - 1; i > 0; i--) {
        long j = (long)(chance(&state) % (uint64_t)i);
        uint32_t kept = order[i];
        order[i] = order[j], order[j] = kept;
    }
    for (long i = 0; i < count; i++) {
        nodes[order[i]].next = &nodes[order[(i + 1) % count]];
        nodes[order[i]].value = (uint64_t)i;
    }
    at = nodes;
    for (long i = repeats(argc, argv, 2000000); i > 0; i--) {
        sum += at->value ^ (uint64_t)i;
        at = at->next;
    }
    return checksum(sum);
}
