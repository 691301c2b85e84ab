/* Quicksort and heapsort of arrays that fit into a cache, with comparisons through a pointer. */
#include "bench.h"

static int compare(const void *one, const void *two)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)two;
    return (a > b) - (a < b);
}

static void quick(uint32_t *low, uint32_t *high)
{
    while (high - low > 16) {
        uint32_t pivot = low[(high - low) / 2], *i = low, *j = high - 1;
        while (i <= j) {
            while (*i < pivot)
                i++;
            while (*j > pivot)
                j--;
            if (i <= j) {
                uint32_t kept = *i;
                *i++ = *j;
                *j-- = kept;
            }
        }
        quick(low, j + 1);
        low = i;
    }
    for (uint32_t *i = low + 1; i < high; i++) {
        uint32_t kept = *i, *j = i;
        for (; j > low && j[-1] > kept; j--)
            *j = j[-1];
        *j = kept;
    }
}

int main(int argc, char **argv)
{
    static uint32_t values[100000];
    uint64_t state = 5, sum = 0;
    long n = sizeof values / sizeof *values;
    for (long round = repeats(argc, argv, 10); round > 0; round--) {
        for (long i = 0; i < n; i++)
            values[i] = (uint32_t)chance(&state);
        if (round % 5)
            quick(values, values + n);
        else
            qsort(values, n, sizeof *values, compare);
        for (long i = 1; i < n; i++)
            sum += (values[i - 1] <= values[i]) * (uint64_t)i;
        sum ^= values[n / 3];
    }
    return checksum(sum);
}
