/* Mathematics: musl's functions, called as Windows calls. */
#include <math.h>

#include "crt.h"

#define ONE(type, name) MS(type, name, type x) { return name(x); }
#define TWO(type, name) MS(type, name, type x, type y) { return name(x, y); }

ONE(double, acos)
ONE(double, asin)
ONE(double, atan)
ONE(double, cosh)
ONE(double, sinh)
ONE(double, tanh)
ONE(double, cos)
ONE(double, sin)
ONE(double, tan)
ONE(double, exp)
ONE(double, log)
ONE(double, log10)
ONE(double, sqrt)
ONE(double, ceil)
ONE(double, floor)
ONE(double, fabs)
ONE(double, cbrt)
ONE(double, exp2)
ONE(double, expm1)
ONE(double, log1p)
ONE(double, log2)
ONE(double, round)
ONE(double, trunc)
ONE(double, rint)
ONE(double, nearbyint)
ONE(double, asinh)
ONE(double, acosh)
ONE(double, atanh)
ONE(double, erf)
ONE(double, tgamma)
ONE(double, lgamma)
ONE(float, acosf)
ONE(float, asinf)
ONE(float, atanf)
ONE(float, cosf)
ONE(float, sinf)
ONE(float, tanf)
ONE(float, expf)
ONE(float, logf)
ONE(float, log10f)
ONE(float, sqrtf)
ONE(float, ceilf)
ONE(float, floorf)
ONE(float, fabsf)
ONE(float, roundf)
ONE(float, truncf)
ONE(float, cbrtf)
ONE(float, exp2f)
ONE(float, log2f)
TWO(double, atan2)
TWO(double, pow)
TWO(double, fmod)
TWO(double, hypot)
TWO(double, fmin)
TWO(double, fmax)
TWO(double, copysign)
TWO(double, remainder)
TWO(double, nextafter)
TWO(double, fdim)
TWO(float, atan2f)
TWO(float, powf)
TWO(float, fmodf)
TWO(float, hypotf)
TWO(float, fminf)
TWO(float, fmaxf)

MS(double, ldexp, double x, int power) { return ldexp(x, power); }
MS(double, scalbn, double x, int power) { return scalbn(x, power); }
MS(double, frexp, double x, int *power) { return frexp(x, power); }
MS(double, modf, double x, double *whole) { return modf(x, whole); }
MS(float, modff, float x, float *whole) { return modff(x, whole); }
MS(double, fma, double x, double y, double z) { return fma(x, y, z); }
MS(LONG, lround, double x) { return lround(x); }
MS(LONG, lrint, double x) { return lrint(x); }
MS(int64_t, llround, double x) { return llround(x); }
MS(int64_t, llrint, double x) { return llrint(x); }
MS(int, _isnan, double x) { return isnan(x); }
MS(int, _finite, double x) { return isfinite(x); }
MS(double, _copysign, double x, double y) { return copysign(x, y); }
MS(short, _dclass, double x) { return isnan(x) ? 2 : isinf(x) ? 1 : x == 0 ? 0 : isnormal(x) ? -1 : -2; }
MS(short, _fdclass, float x) { return isnan(x) ? 2 : isinf(x) ? 1 : x == 0 ? 0 : isnormal(x) ? -1 : -2; }
MS(int, _dsign, double x) { return signbit(x) ? 0x8000 : 0; }
MS(int, _fdsign, float x) { return signbit(x) ? 0x8000 : 0; }
