/* What the bench programs share: how often to repeat, and a checksum so that no work can be left out. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first argument, or what takes about a tenth of a second on a machine of 2020 without an emulator. */
static inline long repeats(int argc, char **argv, long usual)
{
    return argc > 1 ? atol(argv[1]) : usual;
}

static inline int checksum(uint64_t value)
{
    char text[17];
    for (int i = 0; i < 16; i++)
        text[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    text[16] = '\n';
    return write(1, text, sizeof text) != sizeof text;
}

static inline uint64_t chance(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

#endif
