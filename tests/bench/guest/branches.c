/* An interpreter of a small machine: jumps that depend on what was read. */
#include "bench.h"

enum { ADD, SUB, LOAD, STORE, JUMP_LESS, XOR, SHIFT, CALL, RETURN, END };

/* One counts down an outer loop in register 0; the inner walks memory; a subroutine mixes. */
static const unsigned char program[] = {
    LOAD, 1, 2, XOR, 3, 1, CALL, 27, 0, STORE, 3, 2, ADD, 2, 4, JUMP_LESS, 2, 0, SUB, 0, 4, XOR, 2, 2, JUMP_LESS, 5, 0,
    SHIFT, 3, 3, ADD, 3, 1, JUMP_LESS, 6, 36, XOR, 3, 0, RETURN, 0, 0, END, 0, 0,
};

int main(int argc, char **argv)
{
    static uint32_t memory[1024], stack[16];
    uint32_t r[8] = { 0, 0, 0, 7, 1, 5, 9, 0 }, depth = 0, at = 0;
    long steps = 0, limit = repeats(argc, argv, 40000000);
    for (; steps < limit; steps++) {
        const unsigned char *code = program + at;
        unsigned a = code[1], b = code[2];
        at += 3;
        switch (*code) {
        case ADD: r[a & 7] += r[b & 7]; break;
        case SUB: r[a & 7] -= r[b & 7]; break;
        case LOAD: r[a & 7] = memory[r[b & 7] & 1023]; break;
        case STORE: memory[r[b & 7] & 1023] = r[a & 7]; break;
        case JUMP_LESS: at = (r[a & 7] & 1023) < 1000 ? b : at; break;
        case XOR: r[a & 7] ^= r[b & 7]; break;
        case SHIFT: r[a & 7] = r[b & 7] << 5 | r[b & 7] >> 27; break;
        case CALL: stack[depth++ & 15] = at; at = a; break;
        case RETURN: at = stack[--depth & 15]; break;
        default: at = 0;
        }
    }
    return checksum((uint64_t)r[3] << 32 | r[0]);
}
