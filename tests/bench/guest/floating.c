/* Floating point: matrices, a planet's path, a polynomial. */
#include "bench.h"

#define N 48

int main(int argc, char **argv)
{
    static double a[N][N], b[N][N], c[N][N];
    double x = 1, y = 0, vx = 0, vy = 1, sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = 1.0 / (i + j + 1);
            b[i][j] = (i == j) + 0.01 * (i - j);
        }
    for (long round = repeats(argc, argv, 400); round > 0; round--) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double cell = 0;
                for (int k = 0; k < N; k++)
                    cell += a[i][k] * b[k][j];
                c[i][j] = cell * 0.5;
            }
        a[round % N][3] = c[5][round % N];
        for (int i = 0; i < 10000; i++) {
            double distance = x * x + y * y, force = -0.001 / (distance * (0.5 + distance * 0.5));
            vx += x * force, vy += y * force;
            x += vx * 0.001, y += vy * 0.001;
            sum = sum * 0.999 + ((x * 0.3 + 0.2) * y - 0.1) * vx;
        }
    }
    uint64_t bits;
    sum += c[7][9];
    memcpy(&bits, &sum, sizeof bits);
    return checksum(bits);
}
