/* What C can ask of a CPU, over many operands: one line with a checksum for each kind of operation.

   The lines are the same on every CPU: operands have fixed widths, and a NaN counts only as a NaN. */

#include <fenv.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t sum;

static void add(uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        sum = (sum ^ (value & 255)) * 0x100000001b3;
        value >>= 8;
    }
}

static void show(const char *name)
{
    printf("%s %016llx\n", name, (unsigned long long)sum);
    sum = 0xcbf29ce484222325;
}

static volatile uint64_t operands[] = {
    0, 1, 2, 3, 7, 10, 31, 32, 33, 63, 64, 100, 127, 128, 255, 256, 1000, 32767, 32768, 65535, 65536,
    0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x123456789abcdef0, 0x5555555555555555,
    0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffffffe, 0xffffffffffffffff, 0xdeadbeef00c0ffee,
};
enum { COUNT = sizeof operands / sizeof *operands };

#define EACH2(U, S, ...)                                                                                     \
    for (int i = 0; i < COUNT; i++)                                                                          \
        for (int j = 0; j < COUNT; j++) {                                                                    \
            U a = (U)operands[i], b = (U)operands[j];                                                        \
            S x = (S)a, y = (S)b;                                                                            \
            (void)x, (void)y;                                                                                \
            __VA_ARGS__;                                                                                     \
        }

#define WIDTH(N, U, S, MIN)                                                                                  \
    static void integers##N(void)                                                                            \
    {                                                                                                        \
        EACH2(U, S, add((U)(a + b)); add((U)(a - b)); add((U)(b - a)); add((U)((U)-a)))                      \
        show(#N " add, subtract");                                                                           \
        EACH2(U, S, add((U)((uint64_t)a * b)))                                                               \
        show(#N " multiply");                                                                                \
        EACH2(U, S, if (b) { add((U)(a / b)); add((U)(a % b)); })                                            \
        show(#N " divide unsigned");                                                                         \
        EACH2(U, S, if (y && !(x == MIN && y == -1)) { add((U)(x / y)); add((U)(x % y)); })                  \
        show(#N " divide signed");                                                                           \
        EACH2(U, S, add((U)(a / 7)); add((U)(x / 7)); add((U)(x % 10)); add((U)(a % 1000)); add((U)(x / -3)))\
        show(#N " divide by constants");                                                                     \
        EACH2(U, S, add((U)(a << (b & (N - 1)))); add((U)(a >> (b & (N - 1)))); add((U)(x >> (b & (N - 1)))))\
        show(#N " shift");                                                                                   \
        EACH2(U, S, int n = b & (N - 1); add((U)(a << n | a >> (-n & (N - 1)))); add((U)(a >> n | a << (-n & (N - 1))))) \
        show(#N " rotate");                                                                                  \
        EACH2(U, S, add((U)(a & b)); add((U)(a | b)); add((U)(a ^ b)); add((U)(a & ~b)); add((U)(a | ~b)); add((U) ~(a ^ b))) \
        show(#N " logic");                                                                                   \
        EACH2(U, S, add(a < b); add(a <= b); add(a == b); add(x < y); add(x >= y); add((U)(a < b ? a : b));  \
              add((U)(x > y ? x : y)))                                                                       \
        show(#N " compare");                                                                                 \
        EACH2(U, S, U r; add(__builtin_add_overflow(a, b, &r)); add(r); add(__builtin_sub_overflow(a, b, &r)); \
              add(r); add(__builtin_mul_overflow(a, b, &r)); add(r); S t; add(__builtin_add_overflow(x, y, &t)); \
              add((U)t); add(__builtin_sub_overflow(x, y, &t)); add((U)t); add(__builtin_mul_overflow(x, y, &t)); \
              add((U)t))                                                                                     \
        show(#N " overflow");                                                                                \
        EACH2(U, S, add((uint64_t)(int8_t)a); add((uint64_t)(int16_t)a); add((uint64_t)(int32_t)x);          \
              add((uint64_t)(int64_t)x); add((uint8_t)(a + b)); add((uint16_t)(a - b)); add((uint32_t)(x * (int64_t)3))) \
        show(#N " extend");                                                                                  \
        EACH2(U, S, struct { U low : 3; U mid : N / 2 - 1; S high : N / 2 - 3; } f = {0};                    \
              f.low = a; f.mid = b; f.high = x; add(f.low); add(f.mid); add((uint64_t)(int64_t)f.high);      \
              f.mid = a; add(f.low); add(f.mid); add((uint64_t)(int64_t)f.high))                             \
        show(#N " fields");                                                                                  \
    }

WIDTH(8, uint8_t, int8_t, INT8_MIN)
WIDTH(16, uint16_t, int16_t, INT16_MIN)
WIDTH(32, uint32_t, int32_t, INT32_MIN)
WIDTH(64, uint64_t, int64_t, INT64_MIN)

static void bits(void)
{
    EACH2(uint64_t, int64_t, uint32_t c = (uint32_t)a;
          add(a ? (uint64_t)__builtin_clzll(a) : 64); add(a ? (uint64_t)__builtin_ctzll(a) : 64);
          add((uint64_t)__builtin_popcountll(a)); add((uint64_t)__builtin_parityll(a)); add((uint64_t)__builtin_ffsll(x));
          add(c ? (uint64_t)__builtin_clz(c) : 32); add(c ? (uint64_t)__builtin_ctz(c) : 32); add((uint64_t)__builtin_popcount(c));
          add((uint64_t)__builtin_clrsbll(x)); add(a & -a); add(a & (a - 1)))
    show("bit counts");
    EACH2(uint64_t, int64_t, add(__builtin_bswap64(a)); add(__builtin_bswap32((uint32_t)a)); add(__builtin_bswap16((uint16_t)a));
          add(__builtin_bitreverse64(a)); add(__builtin_bitreverse32((uint32_t)a)); add(__builtin_bitreverse8((uint8_t)a)))
    show("swaps");
    EACH2(uint64_t, int64_t, add((a & 0xffffffff00000000) | (uint32_t)b); add(a << 32 | b >> 32); add(a >> 32 << 32 | (b >> 8 & 0xff));
          add((a & ~0xff00ull) | (b & 0xff) << 8); add((a & 0xffff) << 48 | b >> 16))
    show("inserts");
}

#ifdef __SIZEOF_INT128__
typedef unsigned __int128 Wide;
typedef __int128 SignedWide;
static Wide wide(uint64_t high, uint64_t low) { return (Wide)high << 64 | low; }
static void add_wide(Wide value) { add((uint64_t)value); add((uint64_t)(value >> 64)); }
static void integers128(void)
{
    EACH2(uint64_t, int64_t, Wide p = wide(a, b), q = wide(b ^ 0x1234567, a + 99); add_wide(p + q); add_wide(p - q);
          add_wide(p * q); if (q) { add_wide(p / q); add_wide(p % q); } if (b) { add_wide(p / b); add_wide(p % b); }
          if (y) add_wide((Wide)((SignedWide)p / (y == -1 ? 5 : y))); int n = b & 127; add_wide(p << n); add_wide(p >> n);
          add_wide((Wide)((SignedWide)p >> n)); add(p < q); add((SignedWide)p < (SignedWide)q); add_wide((Wide)a * b);
          add_wide((Wide)((SignedWide)x * y)))
    show("128");
}
#else
static void integers128(void) {}
#endif

static uint64_t bits_of(double value)
{
    uint64_t bits;
    if (value != value)
        return 0x7ff8000000000000;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;
    if (value != value)
        return 0x7fc00000;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static volatile double doubles[] = {
    0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 3.0, 0.1, 1e10, -1e10, 123456789.123456789, 1e300, -1e300, 1e-300, 4.9e-324,
    2.2250738585072014e-308, 1.7976931348623157e308, 4503599627370496.5, 9007199254740993.0, 2147483647.0, 2147483648.0,
    4294967295.0, -2147483648.0, 1e-40, 3.4e38, 16777217.0, INFINITY, -INFINITY, NAN, 0.49999999999999994,
};
enum { DOUBLES = sizeof doubles / sizeof *doubles };

static int within(double value, double low, double high) { return value >= low && value <= high; }

#define EACH_DOUBLE2(...)                                                                                    \
    for (int i = 0; i < DOUBLES; i++)                                                                        \
        for (int j = 0; j < DOUBLES; j++) {                                                                  \
            double a = doubles[i], b = doubles[j];                                                           \
            volatile float c = (float)a, d = (float)b;                                                       \
            (void)c, (void)d;                                                                                \
            __VA_ARGS__;                                                                                     \
        }

static void floating(void)
{
#pragma STDC FP_CONTRACT OFF
    EACH_DOUBLE2(volatile double r; r = a + b; add(bits_of(r)); r = a - b; add(bits_of(r)); r = a * b; add(bits_of(r)); r = a / b;
                 add(bits_of(r)))
    show("double arithmetic");
    EACH_DOUBLE2(volatile float r; r = c + d; add(bits_of_float(r)); r = c - d; add(bits_of_float(r)); r = c * d;
                 add(bits_of_float(r)); r = c / d; add(bits_of_float(r)); r = c; add(bits_of((double)r)))
    show("float arithmetic");
    EACH_DOUBLE2(add(a < b); add(a <= b); add(a > b); add(a >= b); add(a == b); add(a != b); add(!(a < b)); add(!(a >= b));
                 add((uint64_t)isunordered(a, b)); add((uint64_t)isless(a, b)); add((uint64_t)islessgreater(a, b));
                 add(a < b ? 1 : a > b ? 2 : 3); add(c < d); add(c >= d); add(c == d); add(!(c > d)))
    show("compare floating");
    EACH_DOUBLE2(add(bits_of(sqrt(a))); add(bits_of_float(sqrtf(c))); add(bits_of(fabs(a))); add(bits_of(-a));
                 add(bits_of(copysign(a, b))); add(bits_of(fma(a, b, 1.0))); add(bits_of_float(fmaf(c, d, 1.0f))))
    show("roots, signs, fused");
    EACH_DOUBLE2(if (!isnan(a) && !isnan(b) && a != b) { add(bits_of(fmin(a, b))); add(bits_of(fmax(a, b))); }
                 add(bits_of(fmod(a, b))); add(bits_of(remainder(a, b))))
    show("minimum, remainder");
    EACH_DOUBLE2(add(bits_of(floor(a))); add(bits_of(ceil(a))); add(bits_of(trunc(a))); add(bits_of(round(a))); add(bits_of(rint(a)));
                 add(bits_of(nearbyint(a))); add(bits_of_float(floorf(c))); add(bits_of_float(ceilf(c)));
                 add(bits_of_float(truncf(c))); add(bits_of_float(rintf(c))))
    show("rounding");
    EACH_DOUBLE2(if (within(a, -2147483648.0, 2147483647.0)) { add((uint32_t)(int32_t)a); add((uint64_t)lrint(a)); }
                 if (within(a, 0, 4294967295.0)) add((uint32_t)a); if (within(a, -9e18, 9e18)) { add((uint64_t)(int64_t)a);
                 add((uint64_t)llrint(a)); add((uint64_t)llround(a)); } if (within(a, 0, 1.8e19)) add((uint64_t)a);
                 if (within(c, -2147483648.0, 2147483520.0)) add((uint32_t)(int32_t)c);
                 if (within(c, -9e18, 9e18)) add((uint64_t)(int64_t)c))
    show("floating to integer");
    EACH2(uint64_t, int64_t, volatile double r; volatile float s; r = (double)a; add(bits_of(r)); r = (double)x; add(bits_of(r));
          r = (double)(int32_t)x; add(bits_of(r)); r = (double)(uint32_t)a; add(bits_of(r)); s = (float)a; add(bits_of_float(s));
          s = (float)x; add(bits_of_float(s)); s = (float)(int32_t)x; add(bits_of_float(s)); s = (float)(uint32_t)a;
          add(bits_of_float(s)))
    show("integer to floating");
}

#if defined FE_UPWARD && defined FE_DOWNWARD && defined FE_TOWARDZERO
static void directed(void)
{
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    for (int mode = 0; mode < 4; mode++) {
        if (fesetround(modes[mode]))
            break;
        EACH_DOUBLE2(volatile double r = a; volatile double s = b; r = r / s; add(bits_of(r)); r = a; r = r * s; add(bits_of(r));
                     volatile double t = a; volatile float n = (float)t; add(bits_of_float(n)); r = a; add(bits_of(rint(r))))
    }
    fesetround(FE_TONEAREST);
    show("directed rounding");
    EACH_DOUBLE2(feclearexcept(FE_ALL_EXCEPT); volatile double r = a; volatile double s = b; r = r / s; (void)r;
                 add((uint64_t)!!fetestexcept(FE_DIVBYZERO)); add((uint64_t)!!fetestexcept(FE_INVALID));
                 add((uint64_t)!!fetestexcept(FE_OVERFLOW)); add((uint64_t)!!fetestexcept(FE_INEXACT)))
    show("exception flags");
}
#else
static void directed(void) {}
#endif

static void long_floating(void)
{
    EACH_DOUBLE2(volatile long double p = a; volatile long double q = b; volatile long double r = p * 4 + q / 3;
                 if (fabs(a) > 1e-30 && fabs(b) < 1e30 && fabs(a) < 1e30 && fabs(b) > 1e-30) add(bits_of_float((float)(r * 1.0L)));
                 add(p < q); add(p == q); r = p - q; add(bits_of((double)p)); if (within(a, -1e9, 1e9)) add((uint64_t)(int64_t)p))
    show("long double");
}

typedef int32_t Ints __attribute__((vector_size(16)));
typedef uint16_t Shorts __attribute__((vector_size(16)));
typedef int8_t Bytes __attribute__((vector_size(16)));
typedef float Floats __attribute__((vector_size(16)));
typedef double Doubles __attribute__((vector_size(16)));
typedef uint64_t Longs __attribute__((vector_size(16)));

static void vectors(void)
{
    EACH2(uint32_t, int32_t, Ints p = {x, y, x ^ y, 5}; Ints q = {y, 3, x, -x}; Ints r = p + q; r ^= p * q; r -= (p > q) & 7; r += p >> 3;
          r |= (p & q) << 2; for (int k = 0; k < 4; k++) add((uint32_t)r[k]))
    show("vectors of 32");
    EACH2(uint32_t, int32_t, Shorts p; Shorts q; Bytes s; Bytes t; for (int k = 0; k < 8; k++) { p[k] = (uint16_t)(a + 77 * k);
          q[k] = (uint16_t)(b - k); } for (int k = 0; k < 16; k++) { s[k] = (int8_t)(a * (k + 1)); t[k] = (int8_t)(b + k); }
          p = p * q + (p >> 2) - (Shorts)(p < q); s = (s + t) ^ (s - t) ^ (Bytes)(s > t);
          for (int k = 0; k < 8; k++) add(p[k]); for (int k = 0; k < 16; k++) add((uint8_t)s[k]))
    show("vectors of 8 and 16");
    EACH2(uint64_t, int64_t, Longs p = {a, b}; Longs q = {b, a * 3}; p = p * q + (p << 5) + (p >> 7); p ^= (Longs)(p > q); add(p[0]); add(p[1]);
          p = __builtin_shufflevector(p, q, 3, 0); add(p[0]); add(p[1]))
    show("vectors of 64");
    EACH_DOUBLE2(Floats p = {c, d, 1, -2}; Floats q = {d, 2, c, d}; volatile Floats r = p * q; for (int k = 0; k < 4; k++)
                 add(bits_of_float(r[k])); r = p / q; for (int k = 0; k < 4; k++) add(bits_of_float(r[k])); Ints m = p < q;
                 for (int k = 0; k < 4; k++) add((uint32_t)m[k]); Doubles u = {a, b}; Doubles v = {b, 3}; volatile Doubles w = u - v;
                 add(bits_of(w[0])); add(bits_of(w[1])); Longs n = (Longs)(u >= v); add(n[0]); add(n[1]))
    show("vectors of floating");
}

static void atomics(void)
{
    EACH2(uint64_t, int64_t, _Atomic uint32_t w = (uint32_t)a; _Atomic uint64_t l = a; _Atomic uint8_t c = (uint8_t)a; _Atomic uint16_t h = (uint16_t)a;
          add(atomic_fetch_add(&w, (uint32_t)b)); add(atomic_fetch_sub(&l, b)); add(atomic_fetch_xor(&c, (uint8_t)b)); add(atomic_exchange(&h, (uint16_t)b));
          add(atomic_fetch_and(&w, (uint32_t)b)); add(atomic_fetch_or(&l, b)); uint32_t e = (uint32_t)b; add(atomic_compare_exchange_strong(&w, &e, 9));
          add(e); uint64_t f = l; add(atomic_compare_exchange_strong(&l, &f, b)); uint8_t g = (uint8_t)b; add(atomic_compare_exchange_strong(&c, &g, 1));
          add(w); add(l); add(c); add(h); add(g))
    show("atomics");
}

static int64_t total(int count, ...)
{
    va_list list;
    va_start(list, count);
    double all = 0;
    for (int i = 0; i < count; i++)
        switch (i % 4) {
        case 0: all += va_arg(list, int); break;
        case 1: all += va_arg(list, double); break;
        case 2: all += (double)va_arg(list, long long); break;
        default: all += strlen(va_arg(list, char *));
        }
    va_end(list);
    return (int64_t)(all * 4);
}

struct Small { int16_t a; int8_t b; };
struct Pair { double a; int32_t b; };
struct Big { int64_t a[5]; float b; };
struct Floats2 { float a, b; };
typedef struct Big Mix(struct Small, struct Pair, struct Big, struct Floats2, int64_t, int);
static struct Big mix(struct Small s, struct Pair p, struct Big b, struct Floats2 f, int64_t n, int last)
{
    b.a[0] += s.a * s.b; b.a[1] ^= p.b; b.a[2] = n; b.a[4] -= last; b.b = (float)p.a + f.a * f.b;
    return b;
}
static Mix *volatile mixer = mix;
static jmp_buf place;
static int choose(int n)
{
    switch (n) {
    case 0: return 11; case 1: return 7; case 2: return 5; case 3: return 99; case 4: return 23; case 5: return 1;
    case 9: return -4; case 10: return 77; case 100: return 3; case 101: return 8; default: return n * 3;
    }
}
static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void calls(void)
{
    volatile int small = 3;
    add((uint64_t)total(9, small, 2.5, 1LL << 33, "four", 5, -1.5, -(1LL << 32), "", small));
    show("variable arguments");
    struct Big b = mixer((struct Small){small, -2}, (struct Pair){0.5, 77}, (struct Big){{1, 2, 3, 4, 5}, 1}, (struct Floats2){2, 3}, -5, 8);
    for (int i = 0; i < 5; i++) add((uint64_t)b.a[i]);
    add(bits_of_float(b.b));
    show("structures");
    volatile int seen = 0;
    int code = setjmp(place);
    add((uint64_t)code);
    if (++seen < 5) longjmp(place, seen * 3);
    show("long jumps");
    for (int i = -3; i < 110; i++) add((uint64_t)choose(i));
    show("switches");
    uint64_t copy[COUNT];
    for (int i = 0; i < COUNT; i++) copy[i] = operands[i] * 0x9e3779b97f4a7c15;
    qsort(copy, COUNT, sizeof *copy, by_value);
    for (int i = 0; i < COUNT; i++) add(copy[i]);
    show("sorting");
}

static void memory(void)
{
    static char room[600], other[600];
    for (int from = 0; from < 17; from++)
        for (int size = 0; size < 130; size += 1 + size / 9) {
            for (int i = 0; i < 600; i++) room[i] = (char)(i * 7 + from);
            memcpy(other + (size & 7), room + from, (size_t)size);
            memmove(room + from + 3, room + from, (size_t)size);
            memset(room + 300 + from, size, (size_t)size);
            other[(size & 7) + size] = 0;
            add((uint64_t)strlen(other + (size & 7)));
            int order = memcmp(room + from, other + (size & 7), (size_t)size);
            add((uint64_t)((order > 0) - (order < 0)));
            char *found = memchr(room, from + 60, 600);
            add(found ? (uint64_t)(found - room) : 999);
            for (int i = 0; i < 600; i++) add((uint8_t)room[i]);
        }
    show("copies");
    static const char words[] = "the quick brown fox jumps over the lazy dog";
    for (int i = 0; i < 20; i++) {
        char *at = strstr(words + i, "o");
        add(at ? (uint64_t)(at - words) : 999);
        add((uint64_t)strcspn(words + i, "xyz"));
        int order = strcmp(words, words + i);
        add((uint64_t)((order > 0) - (order < 0)));
    }
    show("strings");
    struct __attribute__((packed)) { uint8_t a; uint32_t b; uint64_t c; uint16_t d; double e; } odd[4] = {{0}};
    EACH2(uint64_t, int64_t, int k = i & 3; odd[k].a = (uint8_t)a; odd[k].b += (uint32_t)b; odd[k].c ^= a; odd[k].d = (uint16_t)b; odd[k].e = (double)x;
          add(odd[j & 3].b); add(odd[j & 3].c); add(odd[j & 3].d); add(bits_of(odd[j & 3].e)))
    show("packed");
    char line[80];
    for (int i = 0; i < DOUBLES; i++) {
        snprintf(line, sizeof line, "%.17g %a", doubles[i] == doubles[i] ? doubles[i] : 1.0, (double)(float)(i * 0.37));
        for (char *at = line; *at; at++) add((uint8_t)*at);
        add(bits_of(strtod(line, NULL)));
    }
    show("formatting");
}

int main(void)
{
    sum = 0xcbf29ce484222325;
    integers8();
    integers16();
    integers32();
    integers64();
    bits();
    integers128();
    floating();
    directed();
    long_floating();
    vectors();
    atomics();
    calls();
    memory();
    return 0;
}
