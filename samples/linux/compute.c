/* Much computing, exact results: integers, sorting, hashing, floating point, strings, big numbers. */
#include "sample.h"
#include <math.h>

static uint64_t state = 88172645463325252u;

static uint64_t chance(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void integers(void)
{
    uint64_t sum = 0;
    int64_t mixed = 0;
    uint32_t narrow = 1;
    for (int i = 0; i < 150000; i++) {
        uint64_t a = chance(), b = chance() >> (i & 63) | 1;
        sum = (sum << 7 | sum >> 57) + a / b + a % b * 3 + (a * b >> 11);
        mixed += (int64_t)a / (int64_t)(b >> 1 | 3) - (int64_t)a % (int32_t)(b | 5);
        narrow = narrow * 1664525u + (uint32_t)a / ((uint32_t)b | 1) + (narrow >> (a & 31));
        sum += __builtin_clzll(b) * 31 + __builtin_ctzll(a | 1ull << 40) + __builtin_popcountll(a) + (a < b);
        mixed ^= (int64_t)(int8_t)a * (int16_t)b + ((int32_t)a >> 5) + ((int64_t)b >> 3);
        narrow += __builtin_bswap32((uint32_t)b) ^ (uint16_t)__builtin_bswap16((uint16_t)a);
    }
    say("integers %Lx %Lx %x", sum, (uint64_t)mixed, narrow);
}

static int compare(const void *one, const void *two)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)two;
    return a < b ? -1 : a > b;
}

static void sorting(void)
{
    static uint32_t values[100000];
    unsigned wrong = 0, n = sizeof values / sizeof *values;
    uint64_t before = 0, after = 0;
    for (unsigned i = 0; i < n; i++)
        before += values[i] = (uint32_t)chance();
    qsort(values, n, sizeof *values, compare);
    for (unsigned i = 0; i < n; i++) {
        after += values[i];
        wrong += i && values[i - 1] > values[i];
    }
    say("sorting %u wrong, same sum %d, middle %x", wrong, before == after, values[n / 2]);
}

static void sieve(void)
{
    static unsigned char composite[400001];
    unsigned count = 0, last = 0;
    for (unsigned i = 2; i <= 400000; i++) {
        if (composite[i])
            continue;
        count++, last = i;
        for (unsigned j = 2 * i; j <= 400000; j += i)
            composite[j] = 1;
    }
    say("sieve %u primes, the last %u", count, last);
}

/* FIPS 180-4. The constants are the first bits of the fractional parts of roots of primes, so they are computed. */
static uint32_t root_bits(unsigned prime, int cube)
{
    uint64_t low = 0, high = (uint64_t)20 << 32; /* fixed point, 32 bits of fraction */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        /* middle^2 or middle^3 against prime by long multiplication */
        uint32_t limb[4] = { (uint32_t)middle, (uint32_t)(middle >> 32), 0, 0 };
        uint32_t power[8] = { limb[0], limb[1] };
        for (int step = 0; step < 1 + cube; step++) {
            uint32_t product[8] = { 0 };
            for (int i = 0; i < 6; i++) {
                uint64_t carry = 0;
                for (int j = 0; j < 2; j++) {
                    carry += (uint64_t)power[i] * limb[j] + product[i + j];
                    product[i + j] = (uint32_t)carry;
                    carry >>= 32;
                }
                product[i + 2] += (uint32_t)carry;
            }
            memcpy(power, product, sizeof power);
        }
        /* the integer part stands above 64 (square) or 96 (cube) bits of fraction */
        if (power[2 + cube] >= prime)
            high = middle;
        else
            low = middle;
    }
    return (uint32_t)low;
}

static uint32_t turned(uint32_t value, int by)
{
    return value >> by | value << (32 - by);
}

static void sha256(const uint8_t *data, size_t length, uint32_t hash[8])
{
    uint32_t constants[64], w[64], v[8];
    uint8_t block[64];
    int found = 0;
    for (unsigned prime = 2; found < 64; prime++) {
        int is_prime = 1;
        for (unsigned d = 2; d < prime; d++)
            is_prime &= prime % d != 0;
        if (!is_prime)
            continue;
        if (found < 8)
            hash[found] = root_bits(prime, 0);
        constants[found++] = root_bits(prime, 1);
    }
    size_t blocks = (length + 8) / 64 + 1;
    for (size_t b = 0; b < blocks; b++) {
        for (int i = 0; i < 64; i++) {
            size_t at = b * 64 + i;
            block[i] = at < length ? data[at] : at == length ? 0x80 : 0;
            if (b == blocks - 1 && i >= 56)
                block[i] = (uint8_t)((uint64_t)length * 8 >> 8 * (63 - i));
        }
        for (int i = 0; i < 64; i++) {
            if (i < 16)
                w[i] = (uint32_t)block[4 * i] << 24 | block[4 * i + 1] << 16 | block[4 * i + 2] << 8 | block[4 * i + 3];
            else
                w[i] = w[i - 16] + w[i - 7] + (turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ w[i - 15] >> 3) +
                       (turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ w[i - 2] >> 10);
        }
        memcpy(v, hash, sizeof v);
        for (int i = 0; i < 64; i++) {
            uint32_t one = v[7] + (turned(v[4], 6) ^ turned(v[4], 11) ^ turned(v[4], 25)) +
                           ((v[4] & v[5]) ^ (~v[4] & v[6])) + constants[i] + w[i];
            uint32_t two = (turned(v[0], 2) ^ turned(v[0], 13) ^ turned(v[0], 22)) +
                           ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            memmove(v + 1, v, 7 * sizeof *v);
            v[4] += one;
            v[0] = one + two;
        }
        for (int i = 0; i < 8; i++)
            hash[i] += v[i];
    }
}

static void hashing(void)
{
    static uint8_t data[60000];
    uint32_t hash[8];
    sha256((const uint8_t *)"abc", 3, hash);
    say("sha256 of abc %x %x %x %x %x %x %x %x", hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)chance();
    sha256(data, sizeof data, hash);
    say("sha256 of noise %x %x %x %x %x %x %x %x", hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]);
}

static uint64_t bits(double value)
{
    uint64_t raw;
    memcpy(&raw, &value, sizeof raw);
    return raw;
}

static void floating(void)
{
    static double a[40][40], b[40][40];
    double trace = 0, sum = 0, x = 0.5;
    float narrow = 1.0f;
    for (int i = 0; i < 40; i++)
        for (int j = 0; j < 40; j++) {
            a[i][j] = 1.0 / (i + j + 1);
            b[i][j] = (i == j) - 0.001 * (i - j);
        }
    for (int i = 0; i < 40; i++)
        for (int j = 0; j < 40; j++) {
            double cell = 0;
            for (int k = 0; k < 40; k++)
                cell += a[i][k] * b[k][j];
            trace += i == j ? cell : 0;
        }
    for (int i = 1; i < 50000; i++) {
        sum += sqrt(i) / (i + 0.25) - (double)(float)i * 1e-9;
        x = 3.75 * x * (1 - x);
        narrow = narrow * 1.0001f + 0.5f / (float)i;
        sum += (double)(int64_t)(x * 1e15) * 1e-20 + (double)(uint64_t)(x * 1.8e19) * 1e-24 + (int)(x * 100 - 50);
    }
    say("floating %Lx %Lx %Lx %Lx", bits(trace), bits(sum), bits(x), bits(narrow));
    volatile double zero = 0, tiny = 2.2250738585072014e-308, huge = 1.7976931348623157e308;
    say("corners %Lx %Lx %Lx %d %d %d", bits(tiny / 4), bits(huge * 2), bits(-zero), zero / zero != zero / zero,
        -1 / zero < 0, (int)(huge > tiny));
    double values[] = { 0.5, 1.5, 2.5, -0.5, -1.5, 1e15 + 0.5 };
    for (unsigned i = 0; i < 6; i++)
        say("rounding %d: %Ld %Ld %Ld %Ld", i, (int64_t)floor(values[i]), (int64_t)ceil(values[i]),
            (int64_t)trunc(values[i]), (int64_t)rint(values[i]));
}

static void formatting(void)
{
    char text[120];
    snprintf(text, sizeof text, "%.17g %e %.3f %a|%-8d|%08x|%+d|%s|%lld", 0.1, 6.02214076e23, 2.0005, 1.0 / 3, 42, 48879u, 7, "text",
             -9223372036854775807ll - 1);
    say("formatting %s", text);
    say("parsing %Lx %Lx %Lx", bits(strtod("3.14159265358979323846", NULL)), bits(strtod("1e-310", NULL)), strtoull("zz9", NULL, 36));
}

static void big_numbers(void)
{
    static uint32_t digit[300]; /* base 10^9, lowest first: 500! */
    unsigned used = 1, sum = 0;
    digit[0] = 1;
    for (unsigned n = 2; n <= 500; n++) {
        uint64_t carry = 0;
        for (unsigned i = 0; i < used || carry; i++) {
            carry += (uint64_t)digit[i] * n;
            digit[i] = (uint32_t)(carry % 1000000000u);
            carry /= 1000000000u;
            used = i >= used ? i + 1 : used;
        }
    }
    for (unsigned i = 0; i < used; i++)
        for (uint32_t rest = digit[i]; rest; rest /= 10)
            sum += rest % 10;
    say("500! fills %u cells, its digits sum to %u", used, sum);
}

static unsigned ackermann(unsigned m, unsigned n)
{
    return !m ? n + 1 : !n ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static int queens(unsigned columns, unsigned left, unsigned right, unsigned full)
{
    int count = 0;
    if (columns == full)
        return 1;
    for (unsigned free = full & ~(columns | left | right); free; free &= free - 1) {
        unsigned bit = free & -free;
        count += queens(columns | bit, (left | bit) << 1, (right | bit) >> 1, full);
    }
    return count;
}

int main(void)
{
    integers();
    sorting();
    sieve();
    hashing();
    floating();
    formatting();
    big_numbers();
    say("ackermann %u, queens %d", ackermann(2, 300), queens(0, 0, 0, (1 << 8) - 1));
    return 0;
}
